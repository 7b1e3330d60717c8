"""How phones look names up: in the clear or privately, and on which connections and networks.

Private DNS is Android's DNS over TLS (RFC 7858): netd asks all apps' questions on one connection to the resolver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.network import PLAIN, Network
from lab.world.grouped import by_device

DOT_IDLE = 20 * SECOND  # netd's DnsTlsSocket::kIdleTimeout, AOSP packages/modules/DnsResolver (from memory)
DOT_AHEAD = 40_000  # microseconds for the handshakes before the first question
#: Bytes with their length: RFC 8467 section 4.1 pads questions to 128 and answers to 468; netd pads to 128 as well.
DOT_UP, DOT_DOWN = 130, 470
DOT_ZONE = "padding.example"
BOTH_US = 90  # from the question for AAAA to that for A: two threads of netd (our choice)


@dataclass(frozen=True)
class Resolving:
    """How phones look names up: privately (DNS over TLS, RFC 7858) or not, and when each changes its network."""

    private: bool = False
    switches: Mapping[int, Int64] = field(default_factory=dict)  # device -> times; devices that never do may be missing
    span: int = np.iinfo(np.int64).max
    network: Network = PLAIN  # where phones have IPv6, netd asks for both kinds of addresses

    def attachment(self, device: Int64, time: Int64) -> Int64:
        """(n,) how many changes each device had by a time."""
        found = np.zeros(len(device), dtype=np.int64)
        for times, mine in self._of_those_that_switch(device):
            found[mine] = np.searchsorted(times, time[mine], side="right")
        return found

    def until(self, device: Int64, attachment: Int64) -> Int64:
        """(n,) when each device leaves that network again; the last moment of the scenario if it does not."""
        found = np.full(len(device), self.span - 1)
        for times, mine in self._of_those_that_switch(device):
            found[mine] = np.append(times, self.span - 1)[attachment[mine]]
        return found

    def _of_those_that_switch(self, device: Int64) -> Iterator[tuple[Int64, Int64]]:
        """The times of each device that changes its network, and the rows that are its."""
        if self.switches:
            rows = by_device(device, 1 + max(self.switches))
            yield from ((times, rows[number]) for number, times in self.switches.items())


@dataclass(frozen=True)
class Connections:
    """Connections of DNS over TLS (columns up to ``incident``) and the questions on them, by device and time."""

    device: Int64
    start: Int64
    close: Int64
    incident: Int64  # -1 unless all that is asked on it belongs to one
    of: Int64  # (m,) the connection of each question
    time: Int64
    delay: Int64


def connections(asked: Mapping[str, Int64], how: Resolving) -> Connections:
    """The questions (columns device, time, delay, incident) on connections that last until DOT_IDLE of silence.

    None is used on two networks. Each begins DOT_AHEAD of its first question, and ends with its network at the latest.
    """
    on = how.attachment(asked["device"], asked["time"])
    order = np.lexsort((asked["time"], asked["device"]))
    device, time, delay, incident = (asked[name][order] for name in ("device", "time", "delay", "incident"))
    on = on[order]
    new = np.ones(len(time), dtype=np.bool_)
    new[1:] = (np.diff(device) != 0) | (np.diff(on) != 0) | (time[1:] - (time + delay)[:-1] > DOT_IDLE)
    first = np.flatnonzero(new)
    last = np.append(first, len(time))[1:] - 1
    common = np.minimum.reduceat(incident, first) == np.maximum.reduceat(incident, first)
    return Connections(
        device=device[first],
        start=time[first] - DOT_AHEAD,
        close=np.minimum((time + delay)[last] + DOT_IDLE, how.until(device[first], on[first])),
        incident=np.where(common, incident[first], -1),
        of=np.cumsum(new) - 1,
        time=time,
        delay=delay,
    )
