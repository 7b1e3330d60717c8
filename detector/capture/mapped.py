"""A file mapped read-only, from which fields are gathered at many offsets at once."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

TAIL = 4096


class MappedFile:
    """The bytes of a file. Gathers past the end read zeros: callers check lengths, not borders."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.size = file.seek(0, 2)
            self._hold(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b"")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Bytes that are in memory already, read as if they were a file."""
        made = cls.__new__(cls)
        made.size = len(data)
        made._hold(data)  # noqa: SLF001 - an instance of this very class
        return made

    def _hold(self, data: mmap.mmap | bytes) -> None:
        self._map: mmap.mmap | bytes = data
        self._tail_at = max(0, self.size - TAIL)
        self._tail = self._map[self._tail_at :] + bytes(TAIL)

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end, fewer where the file ends before."""
        return self._map[begin:end]

    def spans(self, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[bytes]:
        """The bytes from each begin to its end, fewer where the file ends before."""
        data = self._map
        return (data[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))

    def gather(self, offsets: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
        """The ``width`` <= 4096 bytes at each offset (>= 0): shape (offsets, width)."""
        if not len(offsets):
            return np.zeros((0, width), np.uint8)
        rows = self.size - width + 1
        near_end = offsets >= rows
        if rows <= 0 or near_end.any():
            return self._gather_near_end(offsets, near_end, width)
        return self._rows(self._map, rows, width)[offsets].view(np.uint8).reshape(-1, width)

    def _gather_near_end(self, offsets: NDArray[np.int64], near: NDArray[np.bool_], width: int) -> NDArray[np.uint8]:
        out = np.empty((len(offsets), width), np.uint8)
        far = ~near
        if far.any():
            out[far] = self.gather(offsets[far], width)
        tail = self._rows(self._tail, len(self._tail) - width + 1, width)
        places = np.minimum(offsets[near] - self._tail_at, len(tail) - 1)
        out[near] = tail[places].view(np.uint8).reshape(-1, width)
        return out

    @staticmethod
    def _rows(source: mmap.mmap | bytes, rows: int, width: int) -> NDArray[np.void]:
        return np.ndarray((rows,), f"V{width}", source, strides=(1,))
