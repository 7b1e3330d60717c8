"""Alerts about two hosts, without ports: given the app that spoke to the other most, and the ends of its flows.

Pure. Tools that judge pairs of hosts cannot tell apps apart; where several apps of a device spoke to one peer, the
finding is about the busiest of them, which may be the wrong one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from detector.contract import Telemetry
from detector.destinations import host_of
from detector.named_alerts import Hit

ENDS = ("client", "client_port", "server", "server_port", "proto")
COLUMNS = ("inbound", "uid", "start", "end", "name", *ENDS)
TOLD = ("score", "severity", "alert", "rule", "text")


@dataclass(frozen=True)
class Verdict:
    """What a tool says of a monitored host and another (address or name); ``time`` None: at the end of everything."""

    host: str
    peer: str
    time: int | None
    score: float
    severity: str
    alert: bool
    rule: str
    text: str


class Pairs:
    """The flows of a telemetry by host and peer; Unsupported without flows."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.end = telemetry.span[1]
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in telemetry["flows"].select(list(COLUMNS)).to_pylist():
            mine, other = (row["server"], row["client"]) if row["inbound"] else (row["client"], row["server"])
            for peer in {other, host_of(row["name"]) if row["name"] and not row["inbound"] else other}:
                self.rows[mine, peer].append(row)

    def knows(self, host: str) -> bool:
        """Whether a monitored device has that address."""
        return any(mine == host for mine, _ in self.rows)

    def hit(self, verdict: Verdict, analytic: str) -> Hit:
        """The verdict as a hit of the busiest app's first flow; of nobody's where they never spoke."""
        rows = self.rows.get((verdict.host, host_of(verdict.peer) if verdict.peer else ""), [])
        decided = min(self.end if verdict.time is None else verdict.time, self.end)
        told: dict[str, Any] = {name: getattr(verdict, name) for name in TOLD}
        if not rows:
            ends: dict[str, Any] = {
                "client": verdict.host,
                "client_port": 0,
                "server": verdict.peer,
                "server_port": 0,
                "proto": "ip",
            }
            return Hit(analytic=analytic, time=decided, **ends, **told)
        busiest = Counter(row["uid"] for row in rows).most_common(1)[0][0]
        mine = [row for row in rows if row["uid"] == busiest]
        first = min(mine, key=lambda row: int(row["start"]))
        ends = {name: first[name] for name in ENDS}
        begin, last = first["start"], max(row["end"] for row in mine)
        return Hit(analytic=analytic, time=max(decided, begin), began=begin, last=last, **ends, **told)
