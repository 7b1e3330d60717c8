"""What decides the pace of each conversation, as columns: who waits how long for whom, and how much a segment holds.

Law: the same as lab/stages/causality.py, for many conversations at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.enveloped import IPV4, IPV6
from lab.stages.link import HEADERS_IP, TUNNEL_HEADERS, Links

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lanes:
    """One row per conversation; times in microseconds.

    ``client_gap`` and ``server_gap`` lie between packets that one side sends back to back, ``answer`` between a
    question and the earliest answer at the sensor, ``turn`` between an answer and the client's next word. ``header``
    is that of IP, ``room`` what a packet has inside a tunnel, in bytes.
    """

    mss: Int64
    client_gap: Int64
    server_gap: Int64
    answer: Int64
    turn: Int64
    rtt: Int64
    tcp: Bool
    header: Int64
    room: Int64

    def take(self, rows: Int64) -> Lanes:
        """The lanes of these conversations."""
        return Lanes(*(getattr(self, field.name)[rows] for field in fields(self)))


def lanes_of(links: Links, rows: Int64) -> Lanes:
    """The lanes of some conversations."""
    inbound, rtt = links.inbound[rows], links.rtt[rows]
    up, down = links.gap_up[rows], links.gap_down[rows]
    turn = np.full(len(rtt), TURN_US, dtype=np.int64)
    return Lanes(
        mss=links.mss[rows],
        client_gap=np.where(inbound, down, up),
        server_gap=np.where(inbound, up, down),
        answer=np.where(inbound, turn, rtt),
        turn=np.where(inbound, rtt, turn),
        rtt=rtt,
        tcp=links.tcp[rows].astype(np.bool_),
        header=np.where(links.six[rows], IPV6, IPV4).astype(np.int64),
        room=np.full(len(rtt), links.offered + HEADERS_IP - TUNNEL_HEADERS, dtype=np.int64),
    )


@dataclass
class Walk:
    """Where the same few turns of many conversations lie in time, one turn after the other.

    Times are relative to the moment at which the client may begin; ``client`` and ``server`` are the ends of what each
    last said, ``heard`` when the client knows the latter.
    """

    lanes: Lanes
    client: Int64
    server: Int64
    heard: Int64
    asked: Int64
    spoke: bool

    @classmethod
    def begun(cls, lanes: Lanes, *, opened: bool) -> Walk:
        """Before the first turn; ``opened``: the client's side has just opened the conversation, so it has spoken."""
        zero = np.zeros(len(lanes.rtt), dtype=np.int64)
        ends = (zero, zero) if opened else (-lanes.client_gap, -lanes.server_gap)
        return cls(lanes, *ends, zero, zero, opened)

    def client_says(self, due: Int64, packets: Int64) -> tuple[Int64, Int64]:
        """Begin and end of a client's turn that is due at its own time."""
        begin = np.maximum(np.maximum(due, self.client + self.lanes.client_gap), self.heard)
        self.client = begin + (packets - 1) * self.lanes.client_gap
        self.asked, self.spoke = due, True
        return begin, self.client

    def server_says(self, due: Int64, packets: Int64, *, pushed: bool) -> tuple[Int64, Int64]:
        """Begin and end of a server's turn: an answer to the client's last, or one on its own account."""
        if pushed or not self.spoke:
            begin = np.maximum(due, self.server + self.lanes.server_gap)
            begin = np.maximum(begin, self.client + self.lanes.answer) if self.spoke else begin
        else:
            thought = np.maximum(due - self.asked, 0)
            begin = np.maximum(self.client + self.lanes.answer + thought, self.server + self.lanes.server_gap)
        self.server = begin + (packets - 1) * self.lanes.server_gap
        self.heard = self.server + self.lanes.turn
        return begin, self.server

    @property
    def ready(self) -> Int64:
        """When the client may speak again."""
        ready: Int64 = np.maximum(self.client + self.lanes.client_gap, self.heard)
        return ready


def starts(time: Int64, lasts: Int64, first: Bool) -> Int64:
    """When each exchange begins: at its own time, or when the one before it in its conversation is over.

    ``first`` marks the first row of each conversation. With d the sum of what came before, s_k = d_k + max(t_i - d_i).
    """
    if not len(time):
        return time
    run = np.cumsum(first) - 1
    before = np.cumsum(lasts) - lasts
    before -= before[first][run]
    base = time[first][run]
    lead = time - base - before
    floor = 1 << 44
    highest = np.maximum.accumulate(np.clip(lead, -floor // 2, floor // 2 - 1) + run * floor) - run * floor
    made: Int64 = highest + before + base
    return made
