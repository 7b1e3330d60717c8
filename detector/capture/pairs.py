"""Packets brought together by their pair of endpoints: 5-tuples, both directions alike.

The order comes from one sort of hash and position in a single word. It is verified: should two pairs ever share a
hash, the packets are sorted by the pairs themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from detector.capture.packets import Packets

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Paired:
    """Packets sorted by pair, then time. ``rank`` is each one's place in time, ``first`` marks a new pair.

    ``forward`` is True where the packet runs from the pair's lower endpoint to the higher.
    """

    packets: Packets
    rank: NDArray[np.int64]
    first: NDArray[np.bool_]
    forward: NDArray[np.bool_]


def pair(packets: Packets) -> Paired:
    """The packets sorted by pair of endpoints; ``packets`` is not kept."""
    low, high, forward = _ends(packets)
    rank = _by_hash(_mixed(low, high, _kind(packets)))
    del low, high, forward
    ordered = _reordered(packets, rank)
    low, high, forward = _ends(ordered)
    first = _changes(low, high, _kind(ordered))
    if _scattered(low, high, _kind(ordered), first):
        return _exact(packets)
    return Paired(ordered, rank, first, forward)


def _exact(packets: Packets) -> Paired:
    low, high, _ = _ends(packets)
    rank = np.lexsort((high, low, _kind(packets)))
    ordered = _reordered(packets, rank)
    low, high, forward = _ends(ordered)
    return Paired(ordered, rank, _changes(low, high, _kind(ordered)), forward)


def _ends(packets: Packets) -> tuple[Words, Words, NDArray[np.bool_]]:
    """The lower and the higher endpoint, 48 bits each, and whether the source is the lower."""
    source = packets.src.astype(np.uint64) << np.uint64(16) | packets.sport
    target = packets.dst.astype(np.uint64) << np.uint64(16) | packets.dport
    return np.minimum(source, target), np.maximum(source, target), source <= target


def _kind(packets: Packets) -> Words:
    return packets.proto.astype(np.uint64) | packets.v6.astype(np.uint64) << np.uint64(8)


def _mixed(low: Words, high: Words, kind: Words) -> Words:
    """A 64-bit hash of a pair whose upper bits depend on every bit (multipliers of splitmix64)."""
    word = low * np.uint64(0x9E37_79B9_7F4A_7C15)
    word ^= word >> np.uint64(32)
    word += (high | kind << np.uint64(48)) * np.uint64(0xBF58_476D_1CE4_E5B9)
    word ^= word >> np.uint64(29)
    word *= np.uint64(0x94D0_49BB_1331_11EB)
    return word


def _by_hash(mixed: Words) -> NDArray[np.int64]:
    mask = np.uint64((1 << max(1, len(mixed).bit_length())) - 1)
    mixed &= ~mask
    mixed |= np.arange(len(mixed), dtype=np.uint64)
    mixed.sort()
    mixed &= mask
    return mixed.view(np.int64)


def _reordered(packets: Packets, rank: NDArray[np.int64]) -> Packets:
    columns = {item.name: getattr(packets, item.name)[rank] for item in fields(Packets) if item.name != "book"}
    return Packets(book=packets.book, **columns)


def _changes(low: Words, high: Words, kind: Words) -> NDArray[np.bool_]:
    first = np.ones(len(low), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1]) | (kind[1:] != kind[:-1])
    return first


def _scattered(low: Words, high: Words, kind: Words, first: NDArray[np.bool_]) -> bool:
    """Whether pairs with one hash stand mixed: only then does a hash repeat at a change of pair."""
    starts = np.flatnonzero(first)
    mixed = _mixed(low[starts], high[starts], kind[starts])
    mask = np.uint64((1 << max(1, len(low).bit_length())) - 1)
    cut = mixed & ~mask
    return bool((cut[1:] == cut[:-1]).any())
