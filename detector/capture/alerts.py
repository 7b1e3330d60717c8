"""The alert with which TLS closes a direction: close_notify, the last record before FIN or RST.

TLS 1.3 hides it as application data, known by its length and by the end of the flow close behind it (RFC 8446 section
6.1: no more is sent after it): an application whose last message has two bytes, and that closes at once without an
alert, loses them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.flows import Flows, Ints
from detector.capture.handshakes import ALERT, APPLICATION, HEADER, Side
from detector.capture.packets import FIN, RST
from detector.capture.streams import Slots

#: Lengths of an alert: clear; under RC4, 3DES, AES-CBC, AES-GCM, ChaCha20 before TLS 1.3 (RFC 5246 section 6.2.3).
OLD = (2, 18, 22, 24, 26, 32, 48, 52, 64, 80)
MOST_SEGMENTS = 256  # looked at where an alert lies in several, repeated ones among them
SEALED = 19  # RFC 8446 section 5.2: two bytes, type 1, tag 16
NEVER = np.iinfo(np.int64).max
SOON_US = 2_000_000  # who parts does so within an exchange's silence; what was said longer before was said to stay


@dataclass(frozen=True)
class Ends:
    """When each flow saw its first FIN or RST, in microseconds; NEVER where it saw none."""

    time: Ints

    @classmethod
    def of(cls, flows: Flows, slots: Slots) -> Ends:
        """As the packets of the flows in these slots tell."""
        first = np.full(len(flows), NEVER, dtype=np.int64)
        rows = np.flatnonzero((flows.packets.flags & (FIN | RST)) != 0)
        np.minimum.at(first, flows.slot[rows], flows.packets.time[rows])
        return cls(first[slots])


def take_alerts(out: NDArray[np.uint32], side: Side, which: Ints, ends: Ends) -> None:
    """Take the alert that ends the streams of these flows, if they end, out of what the packets say."""
    which = which[(side.places.first[which] < side.places.stop[which]) & (ends.time[which] < NEVER)]
    _take(out, side, which[side.old[which]], ALERT, OLD)
    sealed = which[~side.old[which]]
    if len(sealed):
        last = side.places.stream.row[side.places.last(sealed)[0]]
        sealed = sealed[side.places.packets.time[last] >= ends.time[sealed] - SOON_US]
    _take(out, side, sealed, APPLICATION, (SEALED,))


def _take(out: NDArray[np.uint32], side: Side, which: Ints, kind: int, lengths: tuple[int, ...]) -> None:
    places = side.places
    if not len(which):
        return
    row, end = places.last(which)
    packet, live = places.stream.row[row], np.arange(len(which))
    room = np.minimum(places.stream.fresh[row], end - side.end[which])
    room[places.packets.have[packet] < places.packets.size[packet]] = 0
    behind = places.packets.at[packet] + places.packets.size[packet]
    for size in (HEADER + length for length in lengths):
        tried = live[room[live] >= size]
        head = places.gather(behind[tried] - size, HEADER)
        same = (head[:, 0] == kind) & (head[:, 1] == 3) & (head[:, 3] == 0) & (head[:, 4] == size - HEADER)
        out[packet[tried[same]]] -= np.uint32(size)
        live = np.setdiff1d(live, tried[same], assume_unique=True)
    live = live[places.stream.fresh[row[live]] < HEADER + lengths[-1]]
    head = places.gather((places.packets.at[packet] + places.stream.skip[row])[live], HEADER)
    length = head[:, 3].astype(np.int64) << 8 | head[:, 4]
    other = (head[:, 1] == 3) & (HEADER + length == places.stream.fresh[row[live]])
    for k in live[~other].tolist():  # the last segment is no whole record
        _take_parts(out, side, int(which[k]), kind, lengths)


def _take_parts(out: NDArray[np.uint32], side: Side, k: int, kind: int, lengths: tuple[int, ...]) -> None:
    """As _take for one flow, whose alert may lie in several segments."""
    places, stream = side.places, side.places.stream
    rows = np.arange(max(places.first[k], places.stop[k] - MOST_SEGMENTS), places.stop[k])
    rows = rows[stream.fresh[rows] > 0][-HEADER - lengths[-1] :]
    if not len(rows):
        return
    begin = places.begins(rows)
    end = int(begin[-1]) + int(stream.fresh[rows[-1]])
    at = max(int(begin[0]), end - HEADER - lengths[-1], int(side.end[k]))
    said = places.joined(k, int(rows[0]), at, end - at) if at < end else b""
    for length in lengths if len(said) == end - at else ():
        head = said[-HEADER - length :][:HEADER] if len(said) >= HEADER + length else b""
        if head[:2] == bytes([kind, 3]) and head[3:] == length.to_bytes(2, "big"):
            gone = begin + stream.fresh[rows] - np.maximum(begin, end - HEADER - length)
            out[stream.row[rows]] -= np.maximum(gone, 0).astype(np.uint32)
            return
