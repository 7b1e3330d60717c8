"""Local ports of a phone's datagrams: in an order of chance, none twice before all others have had their turn.

Left to the kernel two conversations may share a port: toybox nc sets SO_REUSEADDR before it connects, and Linux then
gives a UDP port to a second socket with the same peer (150 of 3,000 sockets had to share; without the option none).
Who shares is not seen to open, and hears nothing: the other gets its answers.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

#: net.ipv4.ip_local_port_range of Linux, which Android leaves as it is.
FIRST, LAST = 32_768, 60_999


def _shuffled() -> Iterator[int]:
    ports = list(range(FIRST, LAST + 1))
    secrets.SystemRandom().shuffle(ports)  # as the kernel's choice, it belongs to no seed: a live run is its own
    return itertools.cycle(ports)


@dataclass(frozen=True)
class LocalPorts:
    """Those of every phone of a run."""

    _orders: dict[int, Iterator[int]] = field(default_factory=dict)

    def take(self, device: int) -> int:
        """The next one of this phone."""
        if device not in self._orders:
            self._orders[device] = _shuffled()
        return next(self._orders[device])
