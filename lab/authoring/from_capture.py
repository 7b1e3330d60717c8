"""A scenario proposed after a capture: which group is worth imitating, what was measured of it, what is assumed.

Nothing here says whether the capture is malicious: nobody knows that but its owner, who says ``label``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.contract import EvidenceError, Telemetry
from lab.authoring.from_capture_groups import Group, Int64, groups_of
from lab.authoring.from_capture_hours import Opening, opening_of
from lab.authoring.from_capture_laws import LEAST_GAPS, Law, law_of
from lab.errors import ScenarioError

LEAST_CONTACTS = LEAST_GAPS + 1
WORTH = 0.25  # an error of the law above which its gaps follow none of ours
WIDEST_SIGMA = 1.5  # of a log-normal: beyond, gaps are those of a person, not of a clock
RECORD = 22  # bytes that TLS 1.3 adds to what is said at once: header 5, content type 1, tag 16 (RFC 8446 section 5.2)
SHOWN = 12


@dataclass(frozen=True)
class Wanted:
    """Whom to imitate; an empty text wants all. ``peer`` is a name, a domain above it, or an address."""

    device: str = ""
    peer: str = ""
    app: str = ""

    def fits(self, group: Group) -> bool:
        """Whether the group is one of those."""
        below = group.peer == self.peer or group.peer.endswith(f".{self.peer}")
        sent = self.device in {"", group.device} and self.app in {"", group.package or "unknown"}
        return sent and (not self.peer or below)

    def named(self) -> bool:
        """Whether anything was named."""
        return any(vars(self).values())


@dataclass(frozen=True)
class Sizes:
    """Median bytes of a contact each way, without TLS records, and how far the middle 90 % lie around, a fraction."""

    up: int | None
    down: int | None
    spread: float


@dataclass(frozen=True)
class Candidate:
    """A group with enough contacts, and what was measured of it."""

    group: Group
    law: Law
    opening: Opening
    sizes: Sizes

    @property
    def worth(self) -> bool:
        """Whether its gaps follow a law that a behaviour can keep."""
        return self.law.error <= WORTH and self.law.sigma <= WIDEST_SIGMA

    def to_json(self) -> dict[str, Any]:
        """What was measured, as a row of ``--json``."""
        group, law, opening = self.group, self.law, self.opening
        return {
            **{name: getattr(group, name) for name in ("device", "package", "peer", "protocol", "port", "flows")},
            "contacts": len(group.times),
            "median_period_s": round(float(np.median(group.gaps_s)), 3),
            "bytes_up": self.sizes.up,
            "bytes_down": self.sizes.down,
            "spread": self.sizes.spread,
            "worth_imitating": self.worth,
            "law": vars(law),
            "opening": vars(opening),
        }

    def line(self) -> str:
        """The candidate in a line of the terminal."""
        group, law = self.group, self.law
        sizes = f"{self.sizes.up if self.sizes.up is not None else '?'} B up, "
        sizes += f"{self.sizes.down if self.sizes.down is not None else '?'} B down"
        who = f"--device {group.device} --peer {group.peer} --app {group.package or 'unknown'}"
        every = f"{len(group.times)} contacts, every {np.median(group.gaps_s):.4g} s (median), {sizes}"
        fit = f"{law.shape}, error {law.error:.1%} of the median" + ("" if self.worth else ": follows no law")
        return f"{who}: {every}; {group.protocol or 'unknown protocol'}; {fit}"


def candidates(telemetry: Telemetry, wanted: Wanted) -> list[Candidate]:
    """The groups that are wanted and can be measured, most contacts first.

    Raises EvidenceError if no group at all has LEAST_CONTACTS, and ScenarioError, naming those there are, if none of
    those that have is wanted.
    """
    groups = [one for one in groups_of(telemetry) if len(one.times) >= LEAST_CONTACTS]
    if not groups:
        raise EvidenceError(
            f"found no app and destination with {LEAST_CONTACTS} contacts or more, expected one: there is nothing to "
            "take timing from; capture for longer"
        )
    chosen = [one for one in groups if wanted.fits(one)]
    if not chosen:
        asked = ", ".join(f"{name} '{value}'" for name, value in vars(wanted).items() if value)
        known = "; ".join(f"--device {one.device} --peer {one.peer}" for one in groups[:SHOWN])
        raise ScenarioError([f"{asked}: found nobody with {LEAST_CONTACTS} contacts there, expected one of {known}"])
    return [_measured(telemetry, group) for group in chosen]


def one_of(found: list[Candidate], wanted: Wanted) -> Candidate | None:
    """The candidate to imitate: the only one, or the only one that is worth it; None where several fit or none does."""
    if len(found) == 1 and (wanted.named() or found[0].worth):
        return found[0]
    worth = [one for one in found if one.worth]
    return worth[0] if len(worth) == 1 else None


def listing(found: Iterable[Candidate]) -> str:
    """The candidates as lines, those worth imitating first, at most SHOWN of them."""
    rows = sorted(found, key=lambda one: not one.worth)
    lines = [one.line() for one in rows[:SHOWN]]
    return "\n".join([*lines, *([f"... and {len(rows) - SHOWN} more: --json has all"] if len(rows) > SHOWN else [])])


def _measured(telemetry: Telemetry, group: Group) -> Candidate:
    law = law_of(group.gaps_s)
    return Candidate(group, law, opening_of(telemetry, group.device, group.times, law.mean_s), sizes_of(group))


def sizes_of(group: Group) -> Sizes:
    """The sizes of a group's contacts; what nobody counted is None."""
    record = RECORD if group.protocol == "tls" and not group.whole_flows else 0
    up, down = (column[column >= 0] for column in (group.up, group.down))
    spreads = [_spread(column) for column in (up, down) if len(column) and np.median(column) > 0]
    spread = round(min(float(np.mean(spreads)), 0.9), 2) if spreads else 0.0
    return Sizes(_middle(up, record), _middle(down, record), spread)


def _middle(column: Int64, record: int) -> int | None:
    return max(round(float(np.median(column))) - record, 0) if len(column) else None


def _spread(column: Int64) -> float:
    """Half the width of a uniform distribution with these quantiles, as a share of the median."""
    low, high = np.quantile(column, [0.05, 0.95])
    return float((high - low) / 0.9 / 2 / np.median(column))
