"""An ad blocker as a VPN within the phone: every app's traffic leaves once more, under the uid of the blocker.

Law: VpnService hands it the packets of all apps (developer.android.com, "VPN"); it drops what is on its lists and opens
each other connection anew (as AdGuard and NetGuard do, from memory). So one app goes wherever the others go, with the
others' TLS shapes and in step with the phone's use, and there is no tunnel and no listener outside the phone. Its lists
come from its vendor once a day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import alarms, gaps, thinking
from lab.habits.customers import Demand, passed_on, places, programs, speaking
from lab.habits.draft import Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of local-vpn."""

    apps: int = setting(15, minimum=1, maximum=200, source="whose traffic passes through it: as many TLS shapes")
    destinations: int = setting(120, minimum=1, maximum=500)
    towards: str = setting("popular", choices=("popular", "tail", "tenant"))
    tail: float = setting(0.3, minimum=0, maximum=1, source="share of popular places that are of the long tail")
    used_per_hour: float = setting(240.0, minimum=0, maximum=3_600, source="connections while the phone is unlocked")
    idle_per_hour: float = setting(15.0, minimum=0, maximum=3_600, source="syncs of the others while it is locked")
    largest: int = setting(40_000, unit="B", minimum=1_000, maximum=10_000_000)
    reach: str = setting("vendor", choices=("vendor", "popular", "tail"), source="of the filter lists")
    period: float = setting(86_400.0, unit="s", minimum=600, maximum=7 * 86_400, source="of the lists")
    lists: int = setting(400_000, unit="B", minimum=1_000, maximum=20_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per connection of another app, one per update of the lists."""
        draft = Draft(window.span)
        web, vendor = draft.web(), draft.peer(self.reach)
        there = places(rng, draft, self.destinations, self.towards, self.tail)
        speech = programs(rng, draft, self.apps)
        http2 = speaking(draft, speech)
        parts = ((self.used_per_hour, window.unlocked), (self.idle_per_hour, gaps(window.unlocked, window.span)))
        wanted = [
            Demand(rate, self.apps, self.destinations, 0.0, largest=self.largest).streams(rng, when, http2)
            for rate, when in parts
        ]
        updates = alarms(rng, self.period, 0.2, window.span)
        delay = thinking(rng, len(updates))
        draft.calls(web, vendor, updates, up=420, down=self.lists, delay=delay, linger=SECOND)
        for streams in wanted:
            passed_on(draft, speech, there, streams, linger=2 * SECOND)
        return draft.batch()
