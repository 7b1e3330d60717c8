"""A replay in which both ends react: servers answer what has really arrived, live, and devices go on when answered.

One end of the wire plays the devices and the other the servers. A frame leaves at its moment of the schedule, but
never before what it follows in its conversation has arrived; what is lost in between stops that conversation.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from detector.contract import Advance
from lab.errors import ScenarioError, StageError
from lab.replaying.answering import Heard, parsed
from lab.replaying.checksums import Int64
from lab.replaying.choosing import OUTSIDE
from lab.replaying.exchange_order import NEVER, Turns
from lab.replaying.interfaces import Interface, interface
from lab.replaying.lateness import lateness
from lab.replaying.outlets import opened, permitted
from lab.replaying.planned import Plan
from lab.replaying.reporting import Report
from lab.replaying.schedule import Bucket
from lab.replaying.sender import NOT_YET, TOLD_NS, undisturbed
from lab.replaying.sockets_of import stamped, talk_of
from lab.replaying.wiring import far_end

PATIENCE_NS = 2_000_000_000  # after the last frame was due, for what is still to arrive
AT_ONCE = 64  # frames taken from a socket before the clock is looked at again
HEAD_START_NS = 20_000_000


def converse(planned: Plan, specs: Sequence[str], owned: Sequence[str], advance: Advance) -> Report:
    """Plays both ends: devices on the first interface; servers on the second, or on the other end of the lab's wire.

    Raises as lab.replay.replay does; ScenarioError also where no other end is known.
    """
    ends = both_ends(specs, owned, planned.longest)
    report = Report(planned=len(planned.due) * planned.loops, arrived=0)
    parsed(bytes(60))  # loads scapy before anything is due
    with ExitStack() as held:
        sockets = [held.enter_context(opened(one, listens=True)) for one in ends]
        report.priority = held.enter_context(undisturbed(planned.busiest_second))
        start, moments, limit = time.monotonic_ns() + HEAD_START_NS, [], Bucket(planned.cap)
        for number in range(planned.loops):
            if number:
                planned.prepared.turn()
            due = planned.due + number * planned.period
            talk = _Round(planned, sockets, due, start, limit)
            try:
                talk.play(partial(_told, advance, number * len(due), report.planned))
            except OSError as fault:
                raise StageError(f"an interface went away: {fault.strerror}; droidrange lab wire status") from fault
            moments.append(talk.told(report))
    whole = [np.concatenate(parts) for parts in zip(*moments, strict=True)]
    report.lateness = lateness(*whole) if len(whole[0]) else None
    for one in ends:
        after = interface(one.spec)
        report.counted[one.spec] = after.sent - one.sent if after else 0
    return report


def both_ends(specs: Sequence[str], owned: Sequence[str], longest: int) -> list[Interface]:
    """The devices' end and the servers', both permitted; ScenarioError where one is not, or no other end is known."""
    near = permitted(specs[:1], owned, longest)[0]
    return [near, *permitted(list(specs[1:]) or [_other_end(near)], owned, longest)]


def _told(advance: Advance, before: int, planned: int, done: int) -> None:
    """Progress of a round, counted over all rounds."""
    advance(before + done, planned)


def _other_end(near: Interface) -> str:
    found = far_end(near)
    if found is None:
        raise ScenarioError([f"--respond: {near.spec} is no wire's near end; expected --peer IFACE, for servers"])
    return found


@dataclass
class _Round:
    """One round of a replay at both ends."""

    planned: Plan
    sockets: Sequence[socket.socket]  # of the devices' end, of the servers' end
    due: Int64
    start: int
    limit: Bucket = field(default_factory=Bucket)
    frames: list[bytes] = field(init=False)
    turns: Turns = field(init=False)
    flows: dict[tuple[bytes, bytes, int], int] = field(default_factory=dict)
    flying: dict[int, bytes] = field(default_factory=dict)  # transport parts of frames under way, by row
    heard: dict[tuple[int, int], Heard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.frames = list(self.planned.prepared.frames())
        self.left = np.full(len(self.frames), NOT_YET, np.int64)
        self.side = self.planned.side.tolist()
        flow = self.planned.prepared.source.flow.tolist()
        for row, frame in enumerate(self.frames):
            talk = talk_of(frame) if flow[row] != NEVER else None
            if talk is None:
                flow[row] = NEVER
            else:
                self.flows[talk.sockets] = flow[row]
        self.turns = Turns(flow, self.side)

    def play(self, advance: Callable[[int], None]) -> None:
        """Sends what is due, hears what arrives, until the last has arrived or patience ends."""
        told = 0
        for row, at in enumerate(self.due.tolist()):
            moment = self.start + at
            self._listen(moment)
            if self.turns.due(row):
                self._send(row)
            if (now := time.monotonic_ns()) - told > TOLD_NS:
                advance(row)
                told = now
        until = time.monotonic_ns() + PATIENCE_NS
        while (self.turns.under_way_count or self.turns.stuck()) and time.monotonic_ns() < until:
            self._listen(min(until, time.monotonic_ns() + 1_000_000))

    def told(self, report: Report) -> tuple[Int64, Int64]:
        """Adds the round to the report; when its frames were due and when they left."""
        gone = self.left != NOT_YET
        report.sent += int(np.count_nonzero(gone))
        report.arrived = (report.arrived or 0) + self.turns.arrived
        report.withheld += len(self.turns.stuck())
        report.rounds += 1
        if stuck := self.turns.stuck():
            why = "what they answer never arrived"
            report.failed[why] = report.failed.get(why, 0) + len(stuck)
        order = np.argsort(self.left[gone], kind="stable")
        return self.due[gone][order], self.left[gone][order]

    def _send(self, row: int) -> None:
        side, frame, flow = self.side[row], self.frames[row], self.turns.flow[row]
        if flow != NEVER:
            talk = talk_of(frame)
            assert talk is not None
            if side == OUTSIDE or stamped(frame, talk):
                known = self.heard.setdefault((flow, side), Heard())
                frame = known.answer(frame, time.monotonic_ns() // 1_000_000)
            self.flying[row] = frame[talk.at :]
        self.turns.sent(row)
        time.sleep(max(self.limit.opens - time.monotonic_ns(), 0) / 1e9)
        self.limit.took(time.monotonic_ns())
        self.sockets[side].send(frame)
        self.left[row] = time.monotonic_ns() - self.start

    def _listen(self, until: int) -> None:
        """Hears both ends until that moment, and at least once."""
        while True:
            wait = max(until - time.monotonic_ns(), 0) / 1e9
            ready, _, _ = select.select(self.sockets, (), (), wait)
            for one in ready:
                self._drain(one, self.sockets.index(one))
            if time.monotonic_ns() >= until:
                return

    def _drain(self, one: socket.socket, side: int) -> None:
        for _ in range(AT_ONCE):
            try:
                frame = one.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            self._arrived(frame, side)

    def _arrived(self, frame: bytes, side: int) -> None:
        """A frame has come in at one end: lets go what waited for it. Strangers are nobody's business."""
        talk = talk_of(frame)
        flow = self.flows.get(talk.sockets) if talk else None
        if talk is None or flow is None:
            return
        said = frame[talk.at :]
        row = next((one for one in self.turns.expected(flow, 1 - side) if said.startswith(self.flying[one])), None)
        if row is None:
            return
        del self.flying[row]
        self.heard.setdefault((flow, side), Heard()).hear(frame)
        for free in self.turns.arrive(row):
            self._send(free)
