"""A part: the server's side of one conversation on one connection, and all that who plays it needs to know."""

from __future__ import annotations

from dataclasses import dataclass

from lab.stages.live.servers.image.clock import Clock
from lab.stages.live.servers.image.ledger import Entry
from lab.stages.live.servers.image.plan import Plan, Script, Turn


@dataclass
class Arrivals:
    """When a connection (and its TLS) stood and when it last brought bytes: times of the event loop, in seconds."""

    opened: float
    last: float


@dataclass(frozen=True)
class Part:
    """The script, where its bytes are, who counts, when bytes come."""

    plan: Plan
    script: Script
    entry: Entry
    arrivals: Arrivals
    clock: Clock

    def due(self, turn: Turn, heard: float) -> float:
        """When an answer goes out: round trip and thinking time after ``heard``; loop's seconds, as ``heard`` is."""
        return heard + (self.script.rtt_us + turn.think_us) / 1e6
