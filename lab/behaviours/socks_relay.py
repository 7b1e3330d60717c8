"""A SOCKS5 server on the phone: strangers connect to it and are connected on to wherever they ask.

Law: RFC 1928: greeting, request, reply, then bytes copied both ways (see lab/proxy.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import Batch, Window, setting
from lab.proxy import relay


@dataclass(frozen=True)
class Behaviour:
    """Settings of socks-relay."""

    port: int = setting(1080, minimum=1024, maximum=65_535, source="RFC 1928: 1080 by convention")
    reach: str = setting("literal", choices=("literal", "lan"), source="where customers come from")
    customers: int = setting(6, minimum=1, maximum=200)
    destinations: int = setting(40, minimum=1, maximum=500)
    streams_per_hour: float = setting(20.0, minimum=0, maximum=3_600)
    lag_ms: float = setting(12.0, unit="ms", minimum=0, maximum=60_000, source="of copying, mean")
    locked_only: bool = setting(False, source="True: it relays only while the phone is locked")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per stream: the customer's with the phone, the phone's with the destination."""
        return relay(self, "socks5", rng, window)
