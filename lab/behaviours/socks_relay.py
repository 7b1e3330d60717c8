"""A SOCKS server on the phone: strangers connect to it and are connected on to wherever they ask.

Law: RFC 1928: greeting, request, reply, then bytes copied both ways (see lab/habits/proxy.py); RFC 1929 with a
password. Version 4 (Ying-Da Lee, 1992; 4A for names) knows a user id only.
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
    """Settings of socks-relay."""

    version: int = setting(5, minimum=4, maximum=5, source="4: SOCKS4, 4A where a place has a name")
    password: bool = setting(False, source="True: all customers have one user name and password (RFC 1929)")
    port: int = setting(1080, minimum=1024, maximum=65_535, source="RFC 1928: 1080 by convention")
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
        user = f"user{rng.integers(100, 10_000)}"
        secret = {"password": f"{rng.integers(1 << 40):x}"} if self.version == 5 else {}
        options = {"user": user, **secret} if self.password else {}
        protocol = f"socks{self.version}"
        listener = Listener(protocol, self.port, self.reach, self.towards, self.tail, self.one_stack, options=options)
        demand = Demand(self.streams_per_hour, self.customers, self.destinations, self.lag_ms, self.largest)
        return relay(listener, demand, rng, window, gated(window, self.when, self.from_hour, self.until_hour))
