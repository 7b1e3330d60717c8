"""Who is contacted at a steady pace: a detector in Python, to start from (docs/tutorial-python.md).

For every app and place it asks which share of the gaps between flows lies within a fifth of the middle one, weighed by
how many gaps there are. Raised wrongly by every honest timer: mail checks, push heartbeats, tickers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pyarrow.compute as pc

from detector.contract import Finding, Knob, Reason, Telemetry

TOGETHER_US = 10_000_000  # flows begun within ten seconds are one contact
FEW = 8  # gaps that are worth half of what many are


@dataclass
class SteadyContacts:
    """Scores of AN1793 from 0 to 1 for each app and place; an alert from ``least`` on."""

    least: float = 0.6
    name: str = "steady-contacts"
    version: str = "1"
    needs: tuple[str, ...] = ("flows",)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """What droidrange tune may set."""
        return (Knob("least", "AN1793", self.least, 0.0, 1.0),)

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """It says nothing about relaying, so it neither misses nor passes AN1702."""
        return ("AN1793",) if "flows" in telemetry else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding for each app and place that was contacted at least four times."""
        flows = telemetry["flows"]
        flows = flows.append_column("peer", pc.coalesce(flows["name"], flows["server"]))
        who = ["device", "uid", "package", "peer"]
        for row in flows.select([*who, "start"]).group_by(who).aggregate([("start", "list")]).to_pylist():
            times = contacts(row["start_list"])
            if len(times) < 4:
                continue
            score, pace_s = steadiness(times)
            text = f"{len(times)} contacts, most of them {pace_s:.0f} s after the one before"
            yield Finding(
                analytic="AN1793",
                device=row["device"],
                uid=row["uid"],
                package=row["package"],
                peer=row["peer"],
                first_seen=times[0],
                last_seen=times[-1],
                decided_at=times[-1],
                score=score,
                alert=score >= self.least,
                severity="medium",
                detector=self.name,
                detector_version=self.version,
                reasons=(Reason("steadiness", score, f"below {self.least}", 1.0, text),),
            )


def contacts(starts: list[int]) -> list[int]:
    """The beginnings of contacts, in order."""
    times: list[int] = []
    for start in sorted(starts):
        if not times or start - times[-1] > TOGETHER_US:
            times.append(start)
    return times


def steadiness(times: list[int]) -> tuple[float, float]:
    """The share of gaps within a fifth of the middle one, weighed by their number; and that gap in seconds."""
    gaps = sorted(after - before for before, after in pairwise(times))
    middle = gaps[len(gaps) // 2]
    close = sum(abs(gap - middle) <= middle / 5 for gap in gaps)
    return close / (len(gaps) + FEW), middle / 1e6
