"""Two ends of a TCP connection over a link that loses packets, as the device's interface sees it: events in order.

What the device sends is seen even if it is lost behind the sensor; what is lost on its way to the device never is.
Law: RFC 9293; retransmission timer RFC 6298 as Linux keeps it (round trip + 200 ms at least, tcp_rto_min), doubled
each time; SYN after 1 s; three segments acknowledged behind a hole (RFC 6675, SACK of RFC 2018) or three duplicate
ACKs (RFC 5681) send it again. Left out: tail loss probes (RFC 8985), congestion windows, D-SACK. The peer's clock
runs a round trip late, so that all times are the sensor's and what it sends arrives at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from lab.stages.causality import TURN_US
from lab.stages.segments import ACK, DELAYED_ACK_US, FIN, SYN

SYN_US = 1_000_000  # RFC 6298 section 2.1
LEAST_RTO_US = 200_000  # tcp_rto_min of Linux, added to the smoothed round trip
MOST_RTO_US = 120_000_000  # tcp_rto_max
DUPLICATES = 3  # RFC 5681 section 3.2
_NOTHING: frozenset[int] = frozenset()
BLOCKS = 3  # SACK blocks in an ACK; four fit without timestamps (RFC 2018 section 3)


class Sight(NamedTuple):
    """A packet seen; ``seq`` and ``ack`` count from 0, which is each side's SYN. ``holds``: what SACK tells."""

    time: int
    local: bool
    flags: int
    offset: int
    length: int
    seq: int
    ack: int
    holds: tuple[tuple[int, int], ...] = ()


class Piece(NamedTuple):
    """A segment of what a side has to say; its FIN is one without payload."""

    seq: int
    length: int
    offset: int
    flags: int

    @property
    def end(self) -> int:
        """The sequence number behind it."""
        return self.seq + self.length + bool(self.flags & FIN)


@dataclass
class Side:
    """One end: what it sends, what it has heard of it, and what it has got."""

    local: bool
    gap: int
    pieces: list[Piece] = field(default_factory=list)
    queued: int = 1  # sequence number behind all that was written
    sent: int = 0  # pieces sent at least once
    acked: int = 0  # pieces acknowledged from the front
    sacked: set[int] = field(default_factory=set)
    again: list[int] = field(default_factory=list)  # pieces to be sent again
    repaired: set[int] = field(default_factory=set)  # pieces sent again since the last timeout
    until: int = 0  # after a timeout: what was sent by then
    backoff: int = 0
    timer: int = 0  # number of the retransmission timer that counts; older ones do not
    running: bool = False  # it does
    ack_timer: int = 0
    pumping: bool = False
    free: int = 0  # when the link takes its next segment
    got: int = 0  # pieces of the peer got without a hole
    held: set[int] = field(default_factory=set)  # pieces got behind a hole
    latest: int = -1  # of those
    owes: bool = False  # an ACK, delayed
    called: int = 0  # how many SYNs came
    open: bool = False

    @property
    def next(self) -> int:
        """The sequence number behind what was sent."""
        return self.pieces[self.sent - 1].end if self.sent else 1


class Transport:
    """Both ends and the events between them. ``lost`` says of each next packet of a side (device: True) if it is lost.

    ``speak`` is called with the time whenever an end can have something new to say: it is open, or has got a segment.
    """

    def __init__(
        self,
        rtt: int,
        gaps: tuple[int, int],
        *,
        inbound: bool,
        lost: Callable[[bool], bool],
        speak: Callable[[int], None],
    ) -> None:
        self.rtt, self.lost, self.speak = rtt, lost, speak
        self.sides = {local: Side(local, gaps[local]) for local in (False, True)}
        self.client, self.server = self.sides[not inbound], self.sides[inbound]
        self.seen: list[Sight] = []
        self.events: list[tuple[int, int, Callable[[int], None]]] = []
        self.order = count()
        self.finished = {False: False, True: False}

    def run(self, start: int) -> list[Sight]:
        """The packets seen from the client's SYN at ``start`` on, in order of time."""
        self.at(start, self.greet)
        while self.events:
            time, _, act = heappop(self.events)
            act(time)
        return self.seen

    def close(self, side: Side, time: int) -> None:
        """A side's last word, FIN."""
        side.pieces.append(Piece(side.queued, 0, 0, FIN | ACK))
        side.queued += 1
        self.finished[side.local] = True
        self.pump(side, time)

    def at(self, time: int, act: Callable[[int], None]) -> None:
        """Later, ``act`` is called with its time."""
        heappush(self.events, (time, next(self.order), act))

    def reaction(self, side: Side) -> int:
        """How long a side takes; the remote one's is in the round trip."""
        return TURN_US if side.local else 0

    def emit(self, side: Side, time: int, flags: int, index: int = -1) -> None:
        """A packet on its way, with whatever it acknowledges; ``index``: the piece that it carries."""
        peer = self.sides[not side.local]
        piece = side.pieces[index] if index >= 0 else None
        bare = piece is None and not flags & SYN
        seq = piece.seq if piece else side.next if bare else 0
        ack = 0 if flags == SYN else peer.pieces[side.got - 1].end if side.got else 1
        lost = self.lost(side.local)
        if side.local or not lost:
            holds = tuple(self.holds(side, peer)) if bare and side.held else ()
            offset, length = (piece.offset, piece.length) if piece else (0, 0)
            self.seen.append(Sight(time, side.local, flags, offset, length, seq, ack, holds))
        side.owes = False
        side.ack_timer += 1
        if not lost:
            told = side.got, frozenset(side.held) if side.held else _NOTHING
            arrival = time + (self.rtt if side.local else 0)
            self.at(arrival, lambda now: self.arrive(peer, now, flags, index, told))

    def holds(self, side: Side, peer: Side) -> Iterator[tuple[int, int]]:
        """SACK blocks of a side: the one with the latest piece first, as RFC 2018 section 4 wants."""
        runs: list[list[int]] = []
        for index in sorted(side.held):
            if runs and runs[-1][1] == index - 1:
                runs[-1][1] = index
            else:
                runs.append([index, index])
        runs.sort(key=lambda run: not run[0] <= side.latest <= run[1])
        for first, last in runs[:BLOCKS]:
            yield peer.pieces[first].seq, peer.pieces[last].end

    # the handshake

    def greet(self, time: int, wait: int = SYN_US) -> None:
        """The client's SYN, until it is answered."""
        if not self.client.open:
            self.emit(self.client, time, SYN)
            self.at(time + wait, lambda now: self.greet(now, 2 * wait))

    def welcome(self, time: int, call: int, wait: int = SYN_US) -> None:
        """The server's SYN-ACK to a call, until its client is heard or calls again."""
        if not self.server.open and self.server.called == call:
            self.emit(self.server, time, SYN | ACK)
            self.at(time + wait + TURN_US, lambda now: self.welcome(now, call, 2 * wait))  # a client's timer is first

    def greeted(self, side: Side, time: int, flags: int) -> None:
        """A SYN or SYN-ACK arrives."""
        then = time + self.reaction(side)
        if flags & ACK:
            self.at(then, lambda now: self.emit(side, now, ACK))
            if not side.open:
                side.open = True
                self.at(then, self.speak)
        else:
            side.called += 1
            call = side.called
            self.at(then, lambda now: self.welcome(now, call))

    # sending

    def pump(self, side: Side, time: int) -> None:
        """Sends what waits, a segment at a time: first what is sent again."""
        if not side.pumping and (side.again or side.sent < len(side.pieces)):
            side.pumping = True
            self.at(max(time, side.free), lambda now: self.send(side, now))

    def send(self, side: Side, time: int) -> None:
        """The next segment."""
        side.pumping = False
        while side.again and (side.again[0] < side.acked or side.again[0] in side.sacked):
            side.again.pop(0)
        if side.again:
            index = side.again.pop(0)
        elif side.sent < len(side.pieces):
            index = side.sent
            side.sent += 1
        else:
            return
        if not side.running:
            self.arm(side, time)
        side.free = time + side.gap
        self.emit(side, time, side.pieces[index].flags, index)
        self.pump(side, time)

    def arm(self, side: Side, time: int) -> None:
        """Starts the retransmission timer anew."""
        side.timer += 1
        side.running = True
        mine = side.timer
        wait = min((self.rtt + LEAST_RTO_US) << side.backoff, MOST_RTO_US)
        self.at(time + wait, lambda now: self.expire(side, now, mine))

    def expire(self, side: Side, time: int, mine: int) -> None:
        """No ACK in time: the first segment without one is sent again, the others as ACKs come in."""
        if side.timer != mine or not side.running:
            return
        side.backoff += 1
        side.until = side.sent
        side.repaired = {side.acked}
        side.again = [side.acked]
        self.arm(side, time)
        self.pump(side, time)

    # receiving

    def arrive(self, side: Side, time: int, flags: int, index: int, told: tuple[int, frozenset[int]]) -> None:
        """A packet reaches a side; ``told``: pieces its sender had got, and held behind a hole."""
        if flags & SYN:
            self.greeted(side, time, flags)
            return
        if not side.open:
            side.open = True  # the client is heard
            self.at(time, self.speak)
        self.heard(side, time, *told)
        if index >= 0:
            self.got(side, time, index)

    def heard(self, side: Side, time: int, acked: int, held: frozenset[int]) -> None:
        """What an ACK says of a side's own segments: which are gone and wanted again."""
        onward = acked > side.acked
        if onward:
            side.acked, side.backoff = acked, 0
            side.sacked = {index for index in side.sacked if index >= acked}
            side.running = False
            if acked < side.sent:
                self.arm(side, time)
        side.sacked |= {index for index in held if index >= side.acked}
        high = sorted(side.sacked)[-DUPLICATES] if len(side.sacked) >= DUPLICATES else 0
        if onward and side.acked < side.until:
            high = side.until
        for index in range(side.acked, high):
            if index not in side.sacked and index not in side.repaired:
                side.repaired.add(index)
                side.again.append(index)
        if side.again:
            self.pump(side, time + self.reaction(side))

    def got(self, side: Side, time: int, index: int) -> None:
        """A segment: in order, behind a hole, or one that was there already."""
        peer = self.sides[not side.local]
        if index != side.got:
            if index > side.got:
                side.held.add(index)
                side.latest = index
            self.at(time + TURN_US, lambda now: self.emit(side, now, ACK))
            return
        at_once = bool(side.held) or side.owes or bool(peer.pieces[index].flags & FIN)
        side.got += 1
        while side.got in side.held:
            side.held.discard(side.got)
            side.got += 1
        self.at(time + self.reaction(side), self.speak)
        if self.finished[peer.local] and side.got == len(peer.pieces) and not self.finished[side.local]:
            self.close(side, time + self.reaction(side))
            return
        side.owes = True
        mine = side.ack_timer
        self.at(time + (TURN_US if at_once else DELAYED_ACK_US), lambda now: self.late(side, now, mine))

    def late(self, side: Side, time: int, mine: int) -> None:
        """An ACK that waited, unless something was sent meanwhile."""
        if side.owes and side.ack_timer == mine:
            self.emit(side, time, ACK)
