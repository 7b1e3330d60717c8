"""The conditions of a scenario's networks, for all its phones alike: loss, distance, packet size. All off by default.

Values only: how a stage brings them about is its own affair. ``[network]`` of a scenario file sets them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Network:
    """Conditions between each phone and every host. A network of these defaults is as if there were none.

    ``loss`` is the share of packets lost each way, in runs of ``burst`` packets on average (Gilbert 1960, from memory);
    at 1 each packet is lost or not on its own. ``rtt_us`` is added to every round trip, and up to ``jitter_us`` more,
    drawn per conversation. ``mtu`` is that of the phones' interfaces, in bytes. ``ipv6`` is the share of named hosts
    that have an IPv6 address, by which phones then reach them; ``clat``: the network has IPv6 alone, and all other
    hosts are reached through a translator (lab.world.dual_stack).
    """

    loss: float = 0.0
    burst: float = 1.0
    rtt_us: int = 0
    jitter_us: int = 0
    mtu: int = 1500
    ipv6: float = 0.0
    clat: bool = False

    @property
    def dual(self) -> bool:
        """Whether phones have IPv6 addresses."""
        return self.ipv6 > 0 or self.clat

    def set(self) -> tuple[str, ...]:
        """The names of the conditions that are not those of a plain network."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) != one.default)


PLAIN = Network()
