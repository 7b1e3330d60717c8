"""Ones' complement sums over spans of a byte buffer, many at once (RFC 1071): IPv4, TCP, UDP and ICMPv6 headers.

Every span begins at an even place of the buffer; sums are in this machine's little-endian words, which the sum allows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Int64 = NDArray[np.int64]


def sums(buffer: Bytes, begin: Int64, end: Int64) -> Int64:
    """The sum of the words of each span [begin, end), begin < end, an odd last byte filled up with zero.

    The buffer has an even length and at least two bytes behind the last span.
    """
    words = buffer.view("<u2")
    edges = np.stack([begin // 2, (end + 1) // 2], axis=1).ravel()
    total: Int64 = np.add.reduceat(words, edges, dtype=np.int64)[::2]
    odd = end % 2 == 1
    total[odd] -= buffer[end[odd]].astype(np.int64) << 8
    return total


def complement(total: Int64) -> NDArray[np.uint16]:
    """The checksum that belongs to a sum, in little-endian words.

    >>> hex(int(complement(np.array([0x1ddf2])).byteswap()[0]))
    '0xc22'
    """
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return (~total).astype(np.uint16)


def swapped(value: Int64) -> Int64:
    """A 16-bit number in network order as a little-endian word."""
    return ((value & 0xFF) << 8) | (value >> 8)


def put(buffer: Bytes, at: Int64, words: NDArray[np.uint16]) -> None:
    """Writes little-endian words at even places."""
    buffer.view("<u2")[at // 2] = words
