"""Explanations: what became of somebody who was asked about, and what would have had to be different.

Part of the contract, kept in a file of its own. A question says who, where and when, and nothing of what is true. A
detector that can answer has, beside ``detect``, a method ``explain(telemetry, about) -> Explanation | None``: None
where it does not judge that analytic on this telemetry.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, whole
from detector.contract import Finding, Telemetry
from detector.destinations import registrable

Bools = npt.NDArray[np.bool_]
#: Microseconds for which a name may be asked for before the conversation that needs it (from memory: Android's
#: resolver has given up by then).
ASKED_AHEAD = 30_000_000
OUTCOMES = ("unseen", "too-few", "not-grouped", "below", "excused", "alert")


@dataclass(frozen=True)
class About:
    """Who, where and when is asked about, and under which analytic; times in microseconds.

    ``devices`` are all names and addresses by which a sensor may know the device. ``peers`` are names and addresses,
    empty for any; without ``uid`` and ``package``, any app is meant.
    """

    analytic: str
    devices: tuple[str, ...]
    uid: int | None
    package: str | None
    peers: tuple[str, ...]
    first: int
    last: int

    def mask(self, device: Codes, uid: Int64, package: Codes, peer: Codes | None, seen: tuple[Int64, Int64]) -> Bools:
        """(g,) which groups of device, app, peer (None: not grouped by it), first and last time are meant.

        An app or device that a sensor does not know is not another one; a registrable domain speaks for what is below.
        """
        names = _held(package, {self.package} if self.package else set())
        numbers = (uid == NULL) | (uid == self.uid)
        app = np.ones(len(uid), np.bool_)
        if self.package or self.uid is not None:
            app = np.where(package.code != NULL, names, numbers) if self.package else numbers
        meant = _held(device, set(self.devices)) & app & (seen[0] <= self.last) & (seen[1] >= self.first - ASKED_AHEAD)
        if peer is None or not self.peers:
            return np.asarray(meant, np.bool_)
        hit = np.array([any(same_host(text, known) for known in self.peers) for text in peer.texts] + [False])
        return np.asarray(meant & hit[peer.code], np.bool_)

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding is of who, where and when is asked about, and of that analytic."""
        text = _one(finding.device), _one(finding.package), _one(finding.peer)
        uid = np.array([NULL if finding.uid is None else finding.uid])
        seen = np.array([finding.first_seen]), np.array([finding.last_seen])
        peer = text[2] if finding.analytic == "AN1793" else None
        return finding.analytic == self.analytic and bool(self.mask(text[0], uid, text[1], peer, seen)[0])

    def told(self) -> str:
        """Who, where and when, as a phrase."""
        app = self.package or (f"uid {self.uid}" if self.uid is not None else "any app")
        towards = f" to {', '.join(self.peers[:3])}" if self.peers else ""
        return f"{app} on {self.devices[0]}{towards}"


@dataclass(frozen=True)
class Factor:
    """One factor of a score: value (None: unknown to this sensor), what the innocent have, weight.

    ``contribution`` is how far the score would fall if this factor alone were as innocent as it can be; None where it
    stands in no score.
    """

    name: str
    value: float | None
    expected: str
    weight: float | None
    contribution: float | None
    text: str = ""


@dataclass(frozen=True)
class Counterfactual:
    """The smallest change of one factor that would have made the score reach the threshold."""

    factor: str
    before: float | None  # None: unknown
    after: float
    score: float | None  # then; None where there is no group to be scored
    text: str


@dataclass(frozen=True)
class Explanation:
    """What became of what was asked about.

    ``outcome``: ``unseen`` (no row of the telemetry is of it), ``too-few`` (contacts to be judged by), ``not-grouped``
    (rows, but no group that is judged), ``below`` the threshold, ``excused`` (reached it, and is allowed), ``alert``.
    ``together``: where no change of one factor would have been enough, several that would, made at once.
    """

    about: About
    outcome: str
    text: str  # why, in a sentence
    score: float | None = None
    threshold: float | None = None
    factors: tuple[Factor, ...] = ()
    counterfactual: Counterfactual | None = None
    together: tuple[Counterfactual, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The explanation as an object of JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Witnessed:
    """What the telemetry holds of what is asked about, whether a detector groups it or not."""

    flows: int
    exchanges: int
    lookups: int

    def told(self) -> str:
        """In a phrase."""
        return f"{self.flows} flows with {self.exchanges} exchanges and {self.lookups} look-ups"


def witnessed(telemetry: Telemetry, about: About) -> Witnessed:
    """How many flows, exchanges in them, and look-ups are of who, where and when is asked about."""
    flows = exchanges = lookups = 0
    if "flows" in telemetry:
        table = telemetry["flows"]
        meant = _of_flows(table, about)
        flows = int(meant.sum())
        if "exchanges" in telemetry and flows:
            own = np.unique(whole(table["flow"])[meant])
            exchanges = int(np.isin(whole(telemetry["exchanges"]["flow"]), own).sum())
    if "dns" in telemetry:
        table, nobody = telemetry["dns"], Codes(np.full(len(telemetry["dns"]), NULL, np.int64), [])
        time = whole(table["time"])
        meant = about.mask(codes(table["client"]), nobody.code, nobody, codes(table["qname"]), (time, time))
        lookups = int(meant.sum()) if about.peers else 0
    return Witnessed(flows, exchanges, lookups)


def _of_flows(table: pa.Table, about: About) -> Bools:
    who = codes(table["device"]), whole(table["uid"]), codes(table["package"])
    seen = whole(table["start"]), whole(table["end"])
    meant = np.zeros(len(table), np.bool_)
    far = pc.if_else(table["inbound"], table["client"], table["server"])
    for peer in (far, table["name"], table["sni"], table["host"]):
        meant |= about.mask(*who, codes(peer), seen)
    return meant


def same_host(one: str, other: str) -> bool:
    """Whether two names or addresses are the same, or one is a domain (no public suffix) that holds the other.

    >>> same_host("a.x.example", "x.example."), same_host("a.x.example", "b.x.example"), same_host("a.co.uk", "co.uk")
    (True, False, False)
    """
    one, other = one.rstrip(".").lower(), other.rstrip(".").lower()
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    root = registrable(long)
    return long.endswith("." + short) and (short == root or short.endswith("." + root))


def _held(column: Codes, wanted: Collection[str]) -> Bools:
    """(n,) which rows hold one of those texts."""
    return np.array([text in wanted for text in column.texts] + [False])[column.code]


def _one(text: str | None) -> Codes:
    """A column of one row."""
    return Codes(np.array([NULL if text is None else 0]), [] if text is None else [text])
