"""Bytes at given places of many streams at once, read where their segments lie in the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.capture.flows import Flows, Ints, Mask
from detector.capture.mapped import MappedFile
from detector.capture.streams import Slots

MAX_STEPS = 64  # segments walked for all flows together; further ones are searched flow by flow


class Places:
    """One place in the stream of each of some flows, in one direction; ``at`` moves, ``row`` is the segment it is in.

    Of flow k, ``at[k]`` counts stream bytes as Stream.begin does, at first its first byte, and only ``put`` may set it
    back. Segments of flow k are the rows ``first[k]`` to ``stop[k]`` of the stream.
    """

    def __init__(self, flows: Flows, side: int, slots: Slots, file: MappedFile) -> None:
        self.stream, self.packets, self._file = flows.streams[side], flows.packets, file
        self.first = np.searchsorted(self.stream.slot, slots)
        self.stop = np.searchsorted(self.stream.slot, slots, "right")
        self.never = len(self.packets.time)  # the packet of what is nowhere
        self.row = self.first.copy()
        silent = np.arange(len(slots))
        while len(silent := silent[self.row[silent] < self.stop[silent]]):
            silent = silent[self.stream.fresh[self.row[silent]] == 0]  # before the SYN: keep-alive
            self.row[silent] += 1
        self.at = np.zeros(len(slots), np.int64)
        some = self.row < self.stop
        self.at[some] = self.begins(self.row[some])

    def put(self, which: Ints, at: Ints) -> None:
        """Set these flows' places, wherever they were, and find their segments."""
        self.at[which], self.row[which] = at, self.first[which]
        self.settle(which)

    def begins(self, row: Ints) -> Ints:
        """Where the new bytes of these rows begin."""
        places: Ints = self.stream.begin[row] + self.stream.skip[row]
        return places

    def packet(self, which: Ints) -> Ints:
        """The packets that hold the places of these flows; one past all packets where the stream has ended."""
        inside = self.row[which] < self.stop[which]
        found = np.full(len(which), self.never)
        found[inside] = self.stream.row[self.row[which[inside]]]
        return found

    def settle(self, which: Ints) -> tuple[Mask, Mask]:
        """Find the segments of these flows' places: which were found, and which streams end just there."""
        moving = which
        for _ in range(MAX_STEPS):
            moving = moving[self._behind(moving)]
            if not len(moving):
                break
            self.row[moving] += 1
        for k in moving[self._behind(moving)].tolist():
            self._search(k)
        inside = self.row[which] < self.stop[which]
        found, ended = inside.copy(), ~inside
        found[inside] = self.begins(self.row[which[inside]]) <= self.at[which[inside]]
        spoke = np.flatnonzero(ended & (self.first[which] < self.stop[which]))
        ended[spoke] = self._reach(which[spoke]) == self.at[which[spoke]]
        return found, ended

    def _behind(self, which: Ints) -> Mask:
        """Whose segment ends at or before the place."""
        behind: Mask = self.row[which] < self.stop[which]
        row = self.row[which[behind]]
        behind[behind] = self.begins(row) + self.stream.fresh[row] <= self.at[which[behind]]
        return behind

    def _search(self, k: int) -> None:
        rows = np.arange(self.row[k], self.stop[k])
        reach = np.maximum.accumulate(self.begins(rows) + self.stream.fresh[rows])
        self.row[k] += np.searchsorted(reach, self.at[k], "right")

    def _reach(self, which: Ints) -> Ints:
        """Where the streams of these flows, which are not empty, end."""
        return self.last(which)[1]

    def last(self, which: Ints) -> tuple[Ints, Ints]:
        """The last row with new bytes of these flows, which have one, and where the stream ends."""
        row, back = self.stop[which] - 1, np.arange(len(which))
        while len(back):
            back = back[(self.stream.fresh[row[back]] == 0) & (row[back] > self.first[which[back]])]
            row[back] -= 1
        return row, self.begins(row) + self.stream.fresh[row]

    def gather(self, offsets: Ints, width: int) -> NDArray[np.uint8]:
        """The ``width`` bytes at each offset of the file."""
        return self._file.gather(offsets, width)

    def read(self, which: Ints, width: int) -> tuple[NDArray[np.uint8], Mask]:
        """The ``width`` bytes from the settled places of these flows on, and where there are so many without a hole."""
        out, whole = np.zeros((len(which), width), np.uint8), np.zeros(len(which), bool)
        row = self.row[which]
        inside = np.flatnonzero(row < self.stop[which])
        row = row[inside]
        begin = self.begins(row)
        skipped = self.stream.skip[row] + (self.at[which[inside]] - begin)
        near = (begin <= self.at[which[inside]]) & (skipped + width <= self.packets.have[self.stream.row[row]])
        offset = (self.packets.at[self.stream.row[row]] + skipped)[near]
        out[inside[near]], whole[inside[near]] = self._file.gather(offset, width), True
        for place in inside[~near].tolist():
            k = int(which[place])
            said = self.joined(k, int(self.row[k]), int(self.at[k]), width)
            if len(said) == width:
                out[place], whole[place] = np.frombuffer(said, np.uint8), True
        return out, whole

    def joined(self, k: int, row: int, at: int, width: int) -> bytes:
        """Up to ``width`` bytes of flow k from ``at`` in segment ``row`` on, as far as there is no hole and no cut."""
        parts: list[bytes] = []
        stop, stream = int(self.stop[k]), self.stream
        while width > 0 and row < stop:
            size, packet = int(stream.fresh[row]), int(stream.row[row])
            begin, skip = int(stream.begin[row]) + int(stream.skip[row]), int(stream.skip[row])
            if size and begin > at:
                break
            offset = skip + at - begin
            count = min(size - (at - begin), width) if size else 0
            kept = min(count, int(self.packets.have[packet]) - offset)
            if kept > 0:
                start = int(self.packets.at[packet]) + offset
                parts.append(self._file.span(start, start + kept))
                at, width = at + kept, width - kept
            if kept < count:
                break
            row += 1
        return b"".join(parts)
