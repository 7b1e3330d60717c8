"""Packets brought together by their pair of endpoints: 5-tuples, both directions alike.

The order comes from one sort of hash and position in a single word. It is verified: should two pairs ever share a
hash, the packets are sorted by the pairs themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from detector.capture.lanes import Lanes
from detector.capture.packets import CHUNK, Packets

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


def pair(packets: Packets, lanes: Lanes) -> Paired:
    """The packets sorted by pair of endpoints; ``packets`` is not kept."""
    mixed = np.empty(len(packets.time), np.uint64)

    def mix(part: slice) -> None:
        low, high, _ = _ends(packets, part)
        mixed[part] = _mixed(low, high, _kind(packets, part))

    lanes.over(mix, _parts(len(mixed)))
    found = _paired(packets, _by_hash(mixed), lanes)
    return _exact(packets, lanes) if _scattered(found) else found


def _exact(packets: Packets, lanes: Lanes) -> Paired:
    every = slice(0, len(packets.time))
    low, high, _ = _ends(packets, every)
    return _paired(packets, np.lexsort((high, low, _kind(packets, every))), lanes)


def _paired(packets: Packets, rank: NDArray[np.int64], lanes: Lanes) -> Paired:
    ordered = _reordered(packets, rank, lanes)
    first, forward = np.ones(len(rank), bool), np.empty(len(rank), bool)

    def compare(part: slice) -> None:
        before = max(0, part.start - 1)
        low, high, source_low = _ends(ordered, slice(before, part.stop))
        kind = _kind(ordered, slice(before, part.stop))
        forward[part] = source_low[part.start - before :]
        first[before + 1 : part.stop] = (low[1:] != low[:-1]) | (high[1:] != high[:-1]) | (kind[1:] != kind[:-1])

    lanes.over(compare, _parts(len(rank)))
    return Paired(ordered, rank, first, forward)


def _parts(count: int) -> list[slice]:
    """Slices whose temporaries stay in the processor's cache."""
    return [slice(begin, min(begin + CHUNK, count)) for begin in range(0, count, CHUNK)]


def _ends(packets: Packets, part: slice | NDArray[np.int64]) -> tuple[Words, Words, NDArray[np.bool_]]:
    """The lower and the higher endpoint, 48 bits each, and whether the source is the lower."""
    source = packets.src[part].astype(np.uint64) << np.uint64(16) | packets.sport[part]
    target = packets.dst[part].astype(np.uint64) << np.uint64(16) | packets.dport[part]
    return np.minimum(source, target), np.maximum(source, target), source <= target


def _kind(packets: Packets, part: slice | NDArray[np.int64]) -> Words:
    return packets.proto[part].astype(np.uint64) | packets.v6[part].astype(np.uint64) << np.uint64(8)


def _mixed(low: Words, high: Words, kind: Words) -> Words:
    """A 64-bit hash of a pair whose upper bits depend on every bit (multipliers of splitmix64)."""
    word = low * np.uint64(0x9E37_79B9_7F4A_7C15)
    word ^= word >> np.uint64(32)
    word += (high | kind << np.uint64(48)) * np.uint64(0xBF58_476D_1CE4_E5B9)
    word ^= word >> np.uint64(29)
    word *= np.uint64(0x94D0_49BB_1331_11EB)
    return word


def _place_mask(count: int) -> np.uint64:
    """The lower bits of a word that hold a place among so many."""
    return np.uint64((1 << max(1, count.bit_length())) - 1)


def _by_hash(mixed: Words) -> NDArray[np.int64]:
    mask = _place_mask(len(mixed))
    mixed &= ~mask
    mixed |= np.arange(len(mixed), dtype=np.uint64)
    mixed.sort()
    mixed &= mask
    return mixed.view(np.int64)


def _reordered(packets: Packets, rank: NDArray[np.int64], lanes: Lanes) -> Packets:
    names = [item.name for item in fields(Packets) if item.name != "book"]
    columns = lanes.over(lambda name: getattr(packets, name)[rank], names)
    return Packets(book=packets.book, **dict(zip(names, columns, strict=True)))


def _scattered(found: Paired) -> bool:
    """Whether pairs with one hash stand mixed: only then does a hash repeat at a change of pair."""
    starts = np.flatnonzero(found.first)
    low, high, _ = _ends(found.packets, starts)
    mixed = _mixed(low, high, _kind(found.packets, starts)) & ~_place_mask(len(found.rank))
    return bool((mixed[1:] == mixed[:-1]).any())
