"""What injected packets wear: TTL, IP id, window, segment size and window scale, read from a host's tapes.

Within each kind of packet the shares are those of the tape: flows take TTLs by what is still owed to each value, the
largest flow first; ids and windows are runs of the tape, spread over all of it. A window scale is raised where what
the peer has under way would not fit the windows that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lab.behaviours import Int64
from lab.injecting.habits import (
    ANSWER,
    CLASSES,
    DATAGRAM,
    NAMES,
    OPENING,
    OTHER,
    STREAM,
    UP,
    Key,
    Tape,
    class_of,
    role_of,
)
from lab.injecting.heads import ACK, SYN, Heads
from lab.injecting.injected import LEAST_MSS, Injected, Pieces

FEW = 20  # rows from which on a tape shows which ids there are
MOST_SCALE = 14  # RFC 7323 section 2.3
LONGER = 20  # bytes by which IPv6's header is longer
_FAMILY = 1 << 34


@dataclass(frozen=True)
class Tapes:
    """The tapes of the host that is imitated, and those of all hosts of the capture."""

    own: Mapping[Key, Tape]
    all: Mapping[Key, Tape]

    def of(self, kind: int, way: int, role: int) -> Tape | None:
        """The tape for a kind of packet, else that of the most similar one; None if there is none in that direction."""
        similar = {STREAM: (DATAGRAM, NAMES), NAMES: (DATAGRAM, STREAM), DATAGRAM: (NAMES, STREAM)}[kind]
        for key in ((kind, way, role), (kind, way, OTHER), *((one, way, OTHER) for one in similar)):
            for known in (self.own, self.all):
                if key in known:
                    return known[key]
        return None

    def numbered(self, kind: int, way: int, role: int) -> Tape | None:
        """The tape for the IP ids of a kind of packet: a few SYNs with numbers show no habit but that of all packets.

        Hosts that number their SYN-ACKs 0 do so always, which few show.
        """
        tape = self.of(kind, way, role)
        few = tape is not None and len(tape) < FEW and (tape.ident > 0).any()
        return self.of(kind, way, OTHER) if few else tape


@dataclass(frozen=True)
class Guise:
    """One value per piece; -1 leaves what the packet has."""

    ttl: Int64
    ident: Int64
    fragment: Int64
    window: Int64
    mss: Int64
    scale: Int64


def announced(injected: Injected, tapes: Tapes) -> Int64:
    """The segment size that each SYN is to announce; -1 for other packets, and where the capture has no example."""
    heads, found = injected.heads, np.full(len(injected.heads), -1)
    roles = role_of(heads)
    for way in (0, 1):
        for role in (OPENING, ANSWER):
            rows = np.flatnonzero((injected.up == (way == UP)) & (roles == role) & (heads.mss >= 0))
            tape = tapes.of(STREAM, way, role)
            known = tape.mss[tape.mss >= LEAST_MSS] if tape is not None else np.zeros(0, np.int64)
            if len(rows) and len(known):
                picked = known[_spread(np.ones(len(rows), np.int64), len(known))[0]]
                found[rows] = np.maximum(picked - LONGER * heads.v6[rows], LEAST_MSS)
    return found


def limits(injected: Injected, mss: Int64) -> Int64:
    """Per packet the longest payload its receiver takes: what it announced last; -1 if it announced nothing."""
    lanes, back = injected.lanes, injected.back
    said = np.full(int(lanes.max(initial=-1)) + 2, -1)
    told = np.where(mss >= 0, mss, injected.heads.mss)
    rows = np.flatnonzero(told >= 0)
    said[lanes[rows]] = told[rows]
    return said[back]


def worn(injected: Injected, pieces: Pieces, mss: Int64, tapes: Tapes) -> Guise:
    """The guise of all pieces; ``mss`` is what each packet announces."""
    heads = injected.heads.take(pieces.source)
    up, lanes = injected.up[pieces.source], injected.lanes[pieces.source]
    found = {name: np.full(len(pieces), -1) for name in ("ttl", "ident", "fragment", "window", "scale")}
    kinds, roles = class_of(heads), role_of(heads)
    for kind in CLASSES:
        for way in (0, 1):
            mine = (kinds == kind) & (up == (way == UP))
            tape = tapes.of(kind, way, OTHER)
            rows = np.flatnonzero(mine)
            if tape is not None and len(rows):
                found["ttl"][rows] = _owed(lanes[rows], tape.ttl)
            for role in np.unique(roles[rows]).tolist():
                some = np.flatnonzero(mine & (roles == role))
                _read(found, some, lanes, tapes.of(kind, way, role), ("window", "scale") if kind == STREAM else ())
                _read(found, some, lanes, tapes.numbered(kind, way, role), ("ident", "fragment"))
    found["ident"][heads.v6], found["fragment"][heads.v6] = -1, -1
    found["scale"] = _scaled(heads, pieces, injected.back[pieces.source], lanes, found)
    return Guise(mss=mss[pieces.source], **found)


def _read(found: dict[str, Int64], rows: Int64, lanes: Int64, tape: Tape | None, names: Iterable[str]) -> None:
    """Reads some columns of some packets off their tape, flow after flow."""
    if tape is None or not len(rows):
        return
    order = rows[np.argsort(lanes[rows], kind="stable")]
    _, counts = np.unique(lanes[order], return_counts=True)
    for name in names:
        column = getattr(tape, name)
        usable = column[column >= 0]
        if len(usable):
            found[name][order] = usable[_spread(counts, len(usable))[1]]


def _spread(counts: Int64, length: int) -> tuple[Int64, Int64]:
    """Where runs of so many packets begin on a tape, evenly over all of it, and the place of each packet."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    begins = before * length // total if total <= length else before % length
    within = np.arange(total) - np.repeat(before, counts)
    return begins, (np.repeat(begins, counts) + within) % length


def _owed(lanes: Int64, ttl: Int64) -> Int64:
    """One TTL per lane, so that packets have them in the shares of the tape: to whom most is owed, largest first."""
    values, shares = np.unique(ttl, return_counts=True)
    _, lane, counts = np.unique(lanes, return_inverse=True, return_counts=True)
    owed = shares / shares.sum() * len(lanes)
    given = np.zeros(len(counts), np.int64)
    for one in np.argsort(-counts, kind="stable").tolist():
        place = int(owed.argmax())
        given[one] = values[place]
        owed[place] -= counts[one]
    return given[lane]


def _scaled(heads: Heads, pieces: Pieces, back: Int64, lanes: Int64, found: Mapping[str, Int64]) -> Int64:
    """The scale that each SYN announces: the tape's, or as much more as the peer's bytes under way need."""
    syn, scale = (heads.flags & SYN) > 0, found["scale"]
    count = int(max(lanes.max(initial=-1), back.max(initial=-1))) + 2
    least = np.full(count, 1 << 16)
    shown = np.where(found["window"] >= 0, found["window"], heads.window)
    rows = np.flatnonzero(~syn & (shown > 0))
    np.minimum.at(least, lanes[rows], shown[rows])
    most = np.zeros(count, np.int64)
    np.maximum.at(most, back, _under_way(heads, pieces, lanes, back))
    need = np.ceil(np.log2(np.maximum(most / np.minimum(least, 0xFFFF), 1))).astype(np.int64)
    taken = np.minimum(np.maximum(scale, need[lanes]), MOST_SCALE)
    return np.where(syn & (heads.scale >= 0), taken, -1)


def _under_way(heads: Heads, pieces: Pieces, lanes: Int64, back: Int64) -> Int64:
    """Per piece the bytes sent up to its end that its receiver has not acknowledged yet; 0 of UDP."""
    pair = np.minimum(lanes, np.where(back < 0, lanes, back))
    order = np.lexsort((np.arange(len(pieces)), pair))
    found = np.zeros(len(pieces), np.int64)
    group = np.cumsum(np.diff(pair[order], prepend=-1) != 0) * _FAMILY
    for forward in (True, False):
        sends = ((lanes == pair) == forward)[order] & (heads.seq[order] >= 0)
        rows = order[sends]
        if not len(rows):
            continue
        first, place = np.unique(pair[rows], return_index=True)
        origin = np.zeros(int(pair.max()) + 1, np.int64)
        origin[first] = heads.seq[rows][place]
        start = origin[pair[order]]
        acked = np.where(~sends & ((heads.flags[order] & ACK) > 0), (heads.ack[order] - start) & 0xFFFFFFFF, 0)
        acked = np.where(acked < 1 << 31, acked, 0)
        running = np.maximum.accumulate(acked + group) - group
        end = ((heads.seq[order] + pieces.begin[order] - start) & 0xFFFFFFFF) + pieces.length[order]
        end = np.where(sends & (end < 1 << 31), end, 0)
        found[order] = np.maximum(found[order], end - running)
    return found
