"""The ports from which a repetition asks: others each time, so that a sensor sees new flows and no retransmissions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.replaying.checksums import Bytes, Int64, complement, put, swapped
from lab.replaying.source import TCP, UDP, Source

LEAST, STEP = 1024, 7919  # of unprivileged ports; a prime, so that all of them come round
_COUNT = 65_536 - LEAST


def turned(buffer: Bytes, transport: Int64, source: Source) -> None:
    """Gives the asking socket of every flow, in frames that lie in the buffer, its next port; sums stay valid.

    ``transport`` are places in the buffer. Ports below LEAST stay, and so do flows of one service port with itself
    (multicast DNS) and fragments, whose later parts cannot be told.
    """
    own = np.where(source.asks, source.source_port, source.target_port)
    other = np.where(source.asks, source.target_port, source.source_port)
    rows = np.flatnonzero((transport >= 0) & (own >= LEAST) & (own != other) & ~source.fragment)
    at = transport[rows] + np.where(source.asks[rows], 0, 2)
    words = buffer.view("<u2")
    old = words[at // 2].astype(np.int64)
    new = swapped(LEAST + (swapped(old) - LEAST + STEP) % _COUNT)
    put(buffer, at, new.astype(np.uint16))
    _carry(buffer, transport[rows], source.protocol[rows], new - old)


def _carry(buffer: Bytes, transport: Int64, protocol: Int64, change: Int64) -> None:
    """The checksums after a change of a word under them (RFC 1624, equation 3)."""
    at = transport + np.where(protocol == TCP, 16, 6)
    had: NDArray[np.int64] = buffer.view("<u2")[at // 2].astype(np.int64)
    made = (protocol == TCP) | (had != 0)
    check = complement((0xFFFF - had[made]) + change[made] % 0xFFFF)
    put(buffer, at[made], np.where((protocol[made] == UDP) & (check == 0), np.uint16(0xFFFF), check))
