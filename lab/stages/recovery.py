"""One TCP conversation over a link that loses packets: what was said in time without loss, and what is seen with it.

Who speaks when follows from who has heard what, as in lab.stages.causality: a client speaks at its own time or when
all that came before was heard, a server after as much thinking as without loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab.stages.causality import TURN_US
from lab.stages.segments import ACK, PSH
from lab.stages.transport import Piece, Side, Sight, Transport


class Word(NamedTuple):
    """A message as it would pass a link without loss, times at the sensor."""

    start: int
    end: int  # its last segment
    local: bool
    offset: int
    length: int


@dataclass(frozen=True)
class Line:
    """A conversation's link and what is to be said on it. ``closed``: when its client would close."""

    start: int
    closed: int
    rtt: int
    mss: int
    gaps: tuple[int, int]  # between segments of the remote side, of the device
    inbound: bool
    words: Sequence[Word]


def recovered(line: Line, lost: Callable[[bool], bool]) -> list[Sight]:
    """The packets seen, in order of time. ``lost`` says of each next packet of a side (device: True) if it is lost."""
    return _Talk(line, lost).transport.run(line.start)


class _Talk:
    """What is said, word by word; the client's FIN is its last word, and the server's follows."""

    def __init__(self, line: Line, lost: Callable[[bool], bool]) -> None:
        self.line = line
        self.transport = Transport(line.rtt, line.gaps, inbound=line.inbound, lost=lost, speak=self.speak)
        self.said = 0  # words written
        self.need = {False: 0, True: 0}  # sequence number behind a side's last word, which the other answers
        self.thought: dict[int, int] = {}  # word -> when its server has thought
        self.awaited = -1  # the word for whose time an event waits

    def speak(self, time: int) -> None:
        """Writes what may be said now, in the order of the conversation."""
        sides = self.transport.sides
        while self.said <= len(self.line.words):
            word = self.line.words[self.said] if self.said < len(self.line.words) else None
            side = sides[word.local] if word else self.transport.client
            peer = sides[not side.local]
            heard = peer.pieces[side.got - 1].end if side.got else 0
            if not side.open or heard < self.need[peer.local]:
                return
            due = self.due(word, side, time)
            if due > time:
                if self.awaited != self.said:
                    self.awaited = self.said
                    self.transport.at(due, self.speak)
                return
            self.said += 1
            if word is None:
                self.transport.close(side, time)
            else:
                self.write(side, word)
                self.transport.pump(side, time)

    def due(self, word: Word | None, side: Side, time: int) -> int:
        """When a word is said: at its own time, or when a server has thought about what it was asked."""
        start = word.start if word else self.line.closed
        before = self.line.words[self.said - 1] if self.said else None
        turn = before is None or before.local != side.local
        if side is self.transport.client or not turn:
            return start
        asked = before.end if before else self.line.start + self.line.rtt + TURN_US
        think = start - asked - (TURN_US if side.local else self.line.rtt)
        return self.thought.setdefault(self.said, time + max(think, 0))

    def write(self, side: Side, word: Word) -> None:
        """A word cut into segments, the last of which pushes."""
        for skipped in range(0, word.length, self.line.mss):
            length = min(self.line.mss, word.length - skipped)
            push = PSH if skipped + length == word.length else 0
            side.pieces.append(Piece(side.queued + skipped, length, word.offset + skipped, ACK | push))
        side.queued += word.length
        self.need[side.local] = side.queued
