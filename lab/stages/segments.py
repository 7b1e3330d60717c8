"""TCP law over arrays: segments, delayed acknowledgements, sequence numbers, for many conversations at once.

Rule 1: one link never loses or reorders, so there is no retransmission, no SACK and no congestion window here;
lab.stages.losses plays anew what a lossy link spoils.
Rule 2: a host acknowledges what it has received by then, and the peer's packets are seen a round trip after the cause.
Times are microseconds since the epoch at the device's interface. RFC 9293; delayed ACKs RFC 5681 section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.errors import StageError
from lab.stages.causality import TURN_US
from lab.stages.link import Int64
from lab.stages.seeds import mixed

Bool = npt.NDArray[np.bool_]

FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
OPTIONS = 0x80  # not on the wire: the payload of this segment are TCP options
DELAYED_ACK_US = 40_000  # Linux's least; RFC 5681 allows up to 500 ms
_TIME_BITS = 42  # microseconds of a recording below 50 days; conversations of a slice above


@dataclass(frozen=True)
class Messages:
    """k messages in the order said, of the n conversations of a slice."""

    conversation: Int64  # (k,) row of Ends
    start: Int64
    local: Bool  # said by the device
    offset: Int64  # a multiple of ALIGN, into the slice's payload
    length: Int64


@dataclass(frozen=True)
class Ends:
    """Rows of the n conversations of a slice: their links, when they open and when their client closes."""

    start: Int64
    closed: Int64
    rtt: Int64
    mss: Int64
    gap_up: Int64
    gap_down: Int64
    tcp: Bool
    inbound: Bool
    seed: Int64


@dataclass(frozen=True)
class Packets:
    """Packets in columns, one row each; ``offset`` is where the payload starts in the slice (0 if it has none)."""

    conversation: Int64
    time: Int64
    local: Bool
    flags: Int64
    offset: Int64
    length: Int64
    seq: Int64
    ack: Int64
    ident: Int64

    def take(self, rows: Int64 | Bool) -> Packets:
        """The packets of these rows."""
        return Packets(*(getattr(self, field.name)[rows] for field in fields(self)))


def refuse_larger(packets: Packets, tcp: Bool, six: Bool, mtu: int) -> None:
    """StageError for a datagram beyond the MTU, as a kernel refuses it (EMSGSIZE); rows by conversation."""
    of = packets.conversation
    size = np.where(tcp[of], 0, packets.length + 28 + 20 * six[of])
    if len(size) and (most := int(size.max())) > mtu:
        raise StageError(f"network: found a datagram that makes a packet of {most} bytes, expected mtu = {mtu} at most")


def packets_of(ends: Ends, said: Messages) -> Packets:
    """All packets of a slice, sorted by conversation and time."""
    base = int(ends.start.min()) if len(ends.start) else 0
    rows = np.concatenate([_handshakes(ends), _segments(ends, said), _farewells(ends)], axis=1)
    key = (rows[0] << _TIME_BITS) + rows[1] - base
    acks = _acknowledgements(ends, rows, key)
    rows = np.concatenate([rows, acks], axis=1)
    key = np.concatenate([key, (acks[0] << _TIME_BITS) + acks[1]])
    order = np.argsort(key, kind="stable")
    rows, key = rows[:, order], key[order]
    rows[1] = (key & ((1 << _TIME_BITS) - 1)) + base
    return _numbered(ends, rows, key)


def _handshakes(ends: Ends) -> Int64:
    """SYN, SYN-ACK and ACK of the TCP conversations: rows conversation, time, local, flags, offset, length."""
    which = np.flatnonzero(ends.tcp)
    inbound, start = ends.inbound[which], ends.start[which]
    answer = start + np.where(inbound, TURN_US, ends.rtt[which])
    done = answer + np.where(inbound, ends.rtt[which], TURN_US)
    return np.concatenate(
        [
            _bare(which, start, ~inbound, SYN),
            _bare(which, answer, inbound, SYN | ACK),
            _bare(which, done, ~inbound, ACK),
        ],
        axis=1,
    )


def _farewells(ends: Ends) -> Int64:
    """The client's FIN, the server's FIN and the last ACK."""
    which = np.flatnonzero(ends.tcp)
    inbound, closed = ends.inbound[which], ends.closed[which]
    answer = closed + np.where(inbound, TURN_US, ends.rtt[which])
    done = answer + np.where(inbound, ends.rtt[which], TURN_US)
    return np.concatenate(
        [
            _bare(which, closed, ~inbound, FIN | ACK),
            _bare(which, answer, inbound, FIN | ACK),
            _bare(which, done, ~inbound, ACK),
        ],
        axis=1,
    )


def _bare(which: Int64, time: Int64, local: Bool, flags: int) -> Int64:
    nothing = np.zeros(len(which), dtype=np.int64)
    return np.stack([which, time, local.astype(np.int64), nothing + flags, nothing, nothing])


def _segments(ends: Ends, said: Messages) -> Int64:
    """Messages cut at the MSS and paced; a datagram is never cut. The last segment of a message pushes."""
    of = said.conversation
    tcp, mss = ends.tcp[of], ends.mss[of]
    count = np.where(tcp, -(-said.length // mss), 1)
    row = np.repeat(np.arange(len(of)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    gap = np.where(said.local, ends.gap_up[of], ends.gap_down[of])
    skipped = nth * mss[row]
    length = np.where(tcp[row], np.minimum(mss[row], said.length[row] - skipped), said.length[row])
    last = nth == count[row] - 1
    flags = np.where(tcp[row], np.where(last, ACK | PSH, ACK), 0)
    local = said.local[row].astype(np.int64)
    return np.stack([of[row], said.start[row] + nth * gap[row], local, flags, said.offset[row] + skipped, length])


def _acknowledgements(ends: Ends, rows: Int64, key: Int64) -> Int64:
    """Pure ACKs of both sides; their time row is relative to the slice's first start, as keys are."""
    found = []
    for local in (1, 0):
        carries = (rows[2] == local) & ((rows[5] > 0) | (rows[3] & FIN > 0)) & (rows[3] > 0)
        heard = (rows[2] != local) & (rows[5] > 0) & (rows[3] > 0)
        lag = 0 if local else ends.rtt[rows[0, heard]]
        when = _delayed(np.sort(key[heard] + lag), np.sort(key[carries]))
        nothing = np.zeros(len(when), dtype=np.int64)
        time = when & ((1 << _TIME_BITS) - 1)
        found.append(np.stack([when >> _TIME_BITS, time, nothing + local, nothing + ACK, nothing, nothing]))
    return np.concatenate(found, axis=1)


def _delayed(heard: Int64, carriers: Int64) -> Int64:
    """When a receiver sends a pure ACK: for every second segment at once, for a lone one after DELAYED_ACK_US.

    ``heard`` and ``carriers`` are sorted keys (conversation, time) of the segments it receives and of the packets it
    sends anyway, which acknowledge for free.
    """
    epoch = np.searchsorted(carriers, heard)
    new = np.ones(len(heard), dtype=np.bool_)
    new[1:] = (epoch[1:] != epoch[:-1]) | (heard[1:] - heard[:-1] > DELAYED_ACK_US)
    first = np.maximum.accumulate(np.where(new, np.arange(len(heard)), 0))
    second = (np.arange(len(heard)) - first) % 2 == 1
    lone = ~second & np.append(new[1:], True)
    when = heard + np.where(second, TURN_US, DELAYED_ACK_US)
    following: Int64 = np.append(carriers, np.iinfo(np.int64).max)[epoch]
    silent: Bool = (second | lone) & (following > when)
    return when[silent]


def _numbered(ends: Ends, rows: Int64, key: Int64) -> Packets:
    """Sequence, acknowledgement and IP identification numbers of sorted rows; ACKs that say nothing new are dropped."""
    conversation, time, _, flags, offset, length = rows
    local = rows[2].astype(np.bool_)
    units = np.where(flags > 0, length + (flags & SYN > 0) + (flags & FIN > 0), 0)
    first = np.searchsorted(conversation, np.arange(len(ends.start)))
    seq = np.empty(len(key), dtype=np.int64)
    ack = np.empty(len(key), dtype=np.int64)
    kept = np.ones(len(key), dtype=np.bool_)
    isn = {side: isn_of(ends.seed, salt) for side, salt in ((True, 1), (False, 2))}
    for side in (True, False):
        mine, theirs = np.flatnonzero(local == side), np.flatnonzero(local != side)
        of = conversation[mine]
        sent = np.append(0, np.cumsum(np.where(local == side, units, 0)))
        seq[mine] = isn[side][of] + sent[mine] - sent[first[of]]
        lag = 0 if side else ends.rtt[conversation[theirs]]
        heard = np.searchsorted(key[theirs] + lag, key[mine], side="left" if side else "right")
        got = np.append(0, np.cumsum(units[theirs]))
        opening = got[np.searchsorted(theirs, first[of])]
        count = got[heard] - opening
        ack[mine] = np.where(flags[mine] & ACK > 0, isn[not side][of] + count, 0)
        idle = (flags[mine] == ACK) & (length[mine] == 0)
        stale = np.zeros(len(mine), dtype=np.bool_)
        stale[1:] = (ack[mine[1:]] == ack[mine[:-1]]) & (of[1:] == of[:-1])
        kept[mine[idle & stale]] = False
    made = Packets(conversation, time, local, flags, offset, length, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, seq)
    made = made.take(kept)
    return Packets(**{**vars(made), "ident": identified(ends, made)})


def identified(ends: Ends, packets: Packets) -> Int64:
    """IP identification: counted per conversation and direction from a drawn number, as Linux does with DF set."""
    ident = np.empty(len(packets.time), dtype=np.int64)
    for side, salt in ((True, 3), (False, 4)):
        mine = np.flatnonzero(packets.local == side)
        of = packets.conversation[mine]
        rank = np.arange(len(mine)) - np.searchsorted(of, of)
        ident[mine] = (isn_of(ends.seed, salt)[of] + rank) & 0xFFFF
    return ident


def isn_of(seed: Int64, salt: int) -> Int64:
    """A 32-bit number drawn from each conversation's seed."""
    return (mixed(seed, salt) >> np.uint64(32)).astype(np.int64)
