"""Which frame of a conversation may leave: one that answers waits until what it answers has arrived. Pure.

Rows are numbers of frames in the order in which they are due. Every conversation goes on in its own order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

NEVER = -1


@dataclass
class Turns:
    """The order within conversations: who has sent what, what has arrived, and who waits for it.

    ``flow`` and ``side`` have one entry per row; flow NEVER: the frame waits for nobody.
    """

    flow: list[int]
    side: list[int]
    under_way: dict[int, deque[int]] = field(default_factory=dict)  # flow -> rows sent and not yet arrived, in order
    waiting: dict[int, deque[int]] = field(default_factory=dict)  # flow -> rows that are due and may not leave yet
    arrived: int = 0

    def due(self, row: int) -> bool:
        """Whether the row may leave now; if not, it is among those that ``arrive`` will release."""
        flow = self.flow[row]
        if flow == NEVER:
            return True
        if self.waiting.get(flow) or self._blocked(row):
            self.waiting.setdefault(flow, deque()).append(row)
            return False
        return True

    def sent(self, row: int) -> None:
        """Takes note that the row has left."""
        if self.flow[row] != NEVER:
            self.under_way.setdefault(self.flow[row], deque()).append(row)

    def expected(self, flow: int, side: int) -> Iterable[int]:
        """The rows of a conversation that one side has sent and the other has not seen, oldest first."""
        return [row for row in self.under_way.get(flow, ()) if self.side[row] == side]

    def arrive(self, row: int) -> list[int]:
        """Takes note that the row has arrived; the rows that waited and may leave now, in order."""
        flow = self.flow[row]
        self.under_way[flow].remove(row)
        self.arrived += 1
        return self.released(flow)

    def released(self, flow: int) -> list[int]:
        """The rows of a conversation at the head of those waiting that nothing blocks any more."""
        waiting = self.waiting.get(flow, deque())
        free: list[int] = []
        while waiting and not self._blocked(waiting[0]) and (not free or self.side[free[0]] == self.side[waiting[0]]):
            free.append(waiting.popleft())
        return free

    @property
    def under_way_count(self) -> int:
        """How many rows were sent and have not arrived."""
        return sum(map(len, self.under_way.values()))

    def stuck(self) -> list[int]:
        """The rows that are due and still wait."""
        return sorted(row for rows in self.waiting.values() for row in rows)

    def _blocked(self, row: int) -> bool:
        """Whether the other side has sent something that has not arrived here."""
        return any(self.side[other] != self.side[row] for other in self.under_way.get(self.flow[row], ()))
