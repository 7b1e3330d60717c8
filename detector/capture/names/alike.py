"""A memory for messages that differ only in bytes their reader never looks at: random numbers, keys, times to live.

Rule: the answer is always that of the reader. Which bytes count is learnt from a message that was read: its *layout*
keeps every byte that was looked at, lengths included. A message that equals it in all of these is read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")
#: Where the bytes stand that a reader looked at: at least two spans, in order. None: not to be remembered.
Layout = Sequence[slice]

LAYOUTS = 4  # of one kind, the latest: a client that shuffles what it says is not worth more
REMEMBERED = 8_192  # messages; more than that and all are forgotten, so that nobody can fill memory


@dataclass(frozen=True, slots=True)
class _Learnt(Generic[Value]):
    """The values of messages of one layout, by the bytes that count."""

    layout: Layout
    picked: Callable[[bytes], Any]
    values: dict[Any, Value]


class Alike(Generic[Value]):
    """``read`` with a memory. ``layout`` gives the spans that ``read`` looks at in a message of this very kind.

    ``kind`` is any key that messages of one layout mostly share: it decides about speed, never about results.
    """

    def __init__(
        self,
        read: Callable[[bytes], Value],
        kind: Callable[[bytes], Hashable],
        layout: Callable[[bytes], Layout | None],
    ) -> None:
        self._read, self._kind, self._layout = read, kind, layout
        self._known: dict[Hashable, list[_Learnt[Value]]] = {}
        self._count = 0

    def __call__(self, message: bytes) -> Value:
        """What ``read`` makes of the message."""
        kind = self._kind(message)
        for learnt in self._known.get(kind, ()):
            key = learnt.picked(message)
            if key in learnt.values:
                return learnt.values[key]
        return self._learn(kind, message)

    def _learn(self, kind: Hashable, message: bytes) -> Value:
        value = self._read(message)
        layout = self._layout(message)
        if layout is None:
            return value
        if self._count >= REMEMBERED:
            self._known, self._count = {}, 0
        known = self._known.setdefault(kind, [])
        learnt = next((one for one in known if one.layout == layout), None)
        if learnt is None:
            learnt = _Learnt(layout, itemgetter(*layout), {})
            known.insert(0, learnt)
            del known[LAYOUTS:]
        learnt.values[learnt.picked(message)] = value
        self._count += 1
        return value
