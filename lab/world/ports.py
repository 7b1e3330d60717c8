"""The client ports of phones: Linux's ephemeral ones, in an order of each phone's own."""

from __future__ import annotations

import numpy as np

from lab.behaviours import Int32, Int64
from lab.seeds import generator

EPHEMERAL = (32_768, 61_000)  # ip_local_port_range of Linux
# ip_local_reserved_ports of the phones: servers' ports among those, by which tshark reads any stream as what they serve
RESERVED = (
    *(34_962, 34_980, 37_008, 41_170, 44_321, 44_322, 44_818, 45_564, 47_000, 47_808, 48_049, 48_898, 49_999, 54_328),
    *(56_000, 56_001, 56_500, 56_501, 57_000, 57_001, 57_032, 57_033, 57_500, 57_501, 57_532, 57_533),
    *(59_000, 59_001, 59_032, 59_033, 59_500, 59_501, 59_532, 59_533, 60_001),
)


def client_ports(key: tuple[object, ...], devices: Int64, first: int = 0) -> Int32:
    """(n,) ephemeral ports but the reserved: a random order per device, none used twice before all were used.

    ``devices`` are those of n conversations in the order of time; their keys count from ``first``.
    """
    ports = np.zeros(len(devices), dtype=np.int32)
    pool = np.arange(*EPHEMERAL, dtype=np.int32)
    free = np.ones(EPHEMERAL[1], dtype=np.bool_)
    free[[*RESERVED]] = False
    ends = np.cumsum(np.bincount(devices))
    for device, mine in enumerate(np.split(np.argsort(devices, kind="stable"), ends[:-1])):
        if not len(mine):
            continue
        shuffled = generator(*key, "ports", first + device).permutation(pool)
        shuffled = shuffled[free[shuffled]]
        ports[mine] = shuffled[np.arange(len(mine)) % len(shuffled)]
    return ports
