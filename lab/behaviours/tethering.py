"""A hotspot: a laptop or two go out through the phone, and what they say leaves under the uid of the system.

Law: while the owner shares the line, each guest browses as streams of lab/habits/customers.py do, with its own TLS
shapes; the phone is a router (NAT, AOSP packages/modules/Connectivity/Tethering, from memory): it ends no connection,
listens to nobody outside and keeps no tunnel. Rates and lengths are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.customers import Demand, passed_on, places, programs, speaking
from lab.habits.draft import Draft
from lab.habits.sittings import sittings


@dataclass(frozen=True)
class Behaviour:
    """Settings of tethering."""

    probability: float = setting(0.06, minimum=0, maximum=1, source="that unlocking the phone begins a sharing")
    length: float = setting(2_400.0, unit="s", minimum=60, maximum=86_400, source="mean")
    most: int = setting(3, minimum=1, maximum=50, source="sharings of a span, at most")
    guests: int = setting(2, minimum=1, maximum=10, source="devices that share it")
    stacks: int = setting(3, minimum=1, maximum=12, source="TLS shapes per guest: browser, system, another program")
    streams_per_hour: float = setting(300.0, minimum=0, maximum=3_600, source="of all guests, while sharing")
    destinations: int = setting(80, minimum=1, maximum=500)
    towards: str = setting("popular", choices=("popular", "tail", "own", "tenant"))
    tail: float = setting(0.3, minimum=0, maximum=1, source="share of popular places that are of the long tail")
    largest: int = setting(60_000, unit="B", minimum=1_000, maximum=10_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per stream of a guest."""
        draft = Draft(window.span)
        there = places(rng, draft, self.destinations, self.towards, self.tail)
        shared = sittings(rng, window.unlocked, self.probability, self.length, least_s=60.0, most=self.most)
        demand = Demand(self.streams_per_hour, self.guests * self.stacks, self.destinations, 0.0, largest=self.largest)
        speech = programs(rng, draft, demand.customers)
        wanted = demand.streams(rng, shared, speaking(draft, speech))
        passed_on(draft, speech, there, wanted, linger=2 * SECOND)
        return draft.batch()
