"""An HTTP proxy on the phone: strangers ask it with CONNECT for tunnels to wherever they want.

Law: RFC 9110 section 9.3.6: request, 200, then bytes copied both ways (see lab/habits/proxy.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import Batch, Window, setting
from lab.habits.customers import Demand
from lab.habits.gates import GATES, gated
from lab.habits.proxy import Listener, relay


@dataclass(frozen=True)
class Behaviour:
    """Settings of connect-relay."""

    port: int = setting(8080, minimum=1024, maximum=65_535, source="IANA: http-alt, by convention a proxy")
    reach: str = setting("literal", choices=("literal", "lan"), source="where customers come from")
    customers: int = setting(6, minimum=1, maximum=200)
    destinations: int = setting(40, minimum=1, maximum=500)
    towards: str = setting("popular", choices=("popular", "tail", "own", "literal", "lan", "tenant"))
    tail: float = setting(0.3, minimum=0, maximum=1, source="share of popular places that are of the long tail")
    streams_per_hour: float = setting(20.0, minimum=0, maximum=3_600)
    largest: int = setting(20_000, unit="B", minimum=1_000, maximum=10_000_000, source="of an answer; keeps days small")
    lag_ms: float = setting(12.0, unit="ms", minimum=0, maximum=60_000, source="holding a message, exponential, mean")
    one_stack: bool = setting(False, source="True: ends the customer's TLS, speaks its own to the place")
    when: str = setting("always", choices=GATES, source="plugged-idle: charger, Wi-Fi, screen dark")
    from_hour: float = setting(0.0, minimum=0, maximum=24, source="local time")
    until_hour: float = setting(24.0, minimum=0, maximum=24)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per stream: the customer's with the phone, the phone's with the place."""
        listener = Listener("connect", self.port, self.reach, self.towards, self.tail, self.one_stack)
        demand = Demand(self.streams_per_hour, self.customers, self.destinations, self.lag_ms, self.largest)
        return relay(listener, demand, rng, window, gated(window, self.when, self.from_hour, self.until_hour))
