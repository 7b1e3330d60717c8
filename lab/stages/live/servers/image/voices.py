"""How a scripted side hears and says the bytes of a protocol: which turns of its peer are complete, by their sizes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol


class Voice(Protocol):
    """One side of one connection of a protocol; raises ValueError on bytes that break it."""

    def hear(self, data: bytes) -> int:
        """How many of the peer's turns are complete after these bytes of it, in all."""
        ...

    async def say(self, data: bytes | memoryview) -> bytes | memoryview:
        """What goes out for a turn that the script writes as ``data``."""
        ...

    def close(self) -> None:
        """The connection is gone."""
        ...


class Plain:
    """Bytes as they are: the peer's turn is complete when as many bytes have come as the script says.

    >>> voice = Plain([3, 2])
    >>> voice.hear(b"ab"), voice.hear(b"cd"), voice.hear(b"e"), voice.hear(b"more")
    (0, 1, 2, 2)
    """

    def __init__(self, sizes: Iterable[int]) -> None:
        self._ends = list(accumulate(sizes))
        self._heard = 0

    def hear(self, data: bytes) -> int:
        """Counts."""
        self._heard += len(data)
        return bisect_right(self._ends, self._heard)

    async def say(self, data: bytes | memoryview) -> bytes | memoryview:
        """The script's own bytes."""
        return data

    def close(self) -> None:
        """Nothing is held."""
