"""TCP law on arrays: cutting, delayed acknowledgements, numbers that add up."""

from __future__ import annotations

import numpy as np
import pytest

from lab.errors import StageError
from lab.stages.segments import ACK, DELAYED_ACK_US, FIN, PSH, SYN, Ends, Messages, isn_of, packets_of, refuse_larger

RTT = 20_000
START = 1_772_409_600_000_000


def ends(count: int = 1, *, tcp: bool = True, inbound: bool = False, closed: int = 5_000_000) -> Ends:
    def same(value, kind=np.int64):
        return np.full(count, value, dtype=kind)

    lanes = same(RTT), same(1400), same(400), same(100)
    seeds = np.arange(count, dtype=np.int64)
    return Ends(same(START), same(START + closed), *lanes, same(tcp, np.bool_), same(inbound, np.bool_), seeds)


def played(messages: list[tuple[int, bool, int]], of: Ends | None = None):
    """Packets of one conversation whose messages are (time, from the device, length)."""
    columns = np.array(messages, dtype=np.int64).reshape(-1, 3).T
    zero = np.zeros(len(messages), dtype=np.int64)
    said = Messages(zero, START + columns[0], columns[1].astype(bool), zero, columns[2])
    return packets_of(of or ends(), said)


def lines(packets) -> list[tuple[int, str, int]]:
    return [
        (int(time) - START, f"{'>' if local else '<'}{flags:02x}", int(length))
        for time, local, flags, length in zip(packets.time, packets.local, packets.flags, packets.length, strict=True)
    ]


def pure_acks(packets, *, local: bool) -> list[int]:
    chosen = (packets.flags == ACK) & (packets.length == 0) & (packets.local == local)
    return [int(time) - START for time in packets.time[chosen]]


def test_a_connection_opens_and_closes_in_three_steps_each():
    assert lines(played([])) == [
        (0, f">{SYN:02x}", 0),
        (RTT, f"<{SYN | ACK:02x}", 0),
        (RTT + 45, f">{ACK:02x}", 0),
        (5_000_000, f">{FIN | ACK:02x}", 0),
        (5_000_000 + RTT, f"<{FIN | ACK:02x}", 0),
        (5_000_000 + RTT + 45, f">{ACK:02x}", 0),
    ]


def test_a_device_that_is_called_answers_at_once():
    flags = lines(played([], ends(inbound=True)))
    assert flags[:3] == [(0, f"<{SYN:02x}", 0), (45, f">{SYN | ACK:02x}", 0), (45 + RTT, f"<{ACK:02x}", 0)]


def test_messages_are_cut_at_the_segment_size_and_the_last_piece_pushes():
    packets = played([(100_000, True, 3000)])
    sent = packets.take(packets.length > 0)
    assert sent.length.tolist() == [1400, 1400, 200]
    assert sent.offset.tolist() == [0, 1400, 2800]
    assert sent.flags.tolist() == [ACK, ACK, ACK | PSH]
    assert np.diff(sent.time).tolist() == [400, 400]
    assert np.diff(sent.seq).tolist() == [1400, 1400]


def test_every_second_segment_is_acknowledged_at_once_and_a_lone_one_late():
    packets = played([(100_000, False, 1400 * 5)])
    assert pure_acks(packets, local=True)[1:-1] == [100_145, 100_345, 100_400 + DELAYED_ACK_US]


def test_the_peer_acknowledges_a_round_trip_later():
    packets = played([(100_000, True, 2800), (1_000_000, True, 10)])
    assert pure_acks(packets, local=False) == [100_400 + RTT + 45, 1_000_000 + RTT + DELAYED_ACK_US]


def test_what_is_said_anyway_acknowledges_for_free():
    assert pure_acks(played([(100_000, False, 10), (130_000, True, 10)]), local=True)[1:-1] == []
    assert pure_acks(played([(100_000, False, 10), (150_000, True, 10)]), local=True)[1:-1] == [140_000]


@pytest.mark.parametrize("inbound", [False, True])
def test_numbers_add_up_and_no_ack_repeats_or_foresees(inbound):
    rng = np.random.default_rng(5)
    times = np.sort(rng.integers(50_000, 4_000_000, 60)).tolist()
    packets = played([(t, bool(rng.integers(2)), int(rng.integers(1, 9000))) for t in times], ends(inbound=inbound))
    units = packets.length + (packets.flags & SYN > 0) + (packets.flags & FIN > 0)
    for side in (True, False):
        mine, theirs = packets.local == side, packets.local != side
        isn = int(isn_of(np.zeros(1, dtype=np.int64), 1 if side else 2)[0])
        sent = np.cumsum(units[mine])
        # segments of one side are in order, as the causal placement guarantees, except where we drew them otherwise
        assert (packets.seq[mine] - isn) % 2**32 == pytest.approx(np.append(0, sent[:-1]))
        answering = mine & (packets.flags & ACK > 0)
        other = int(isn_of(np.zeros(1, dtype=np.int64), 2 if side else 1)[0])
        acked = (packets.ack[answering] - other) % 2**32
        assert (np.diff(acked) >= 0).all()
        heard = [units[theirs & (packets.time < time)].sum() for time in packets.time[answering]]
        assert (acked <= heard).all()
    last = packets.take(np.flatnonzero(packets.flags & FIN > 0))
    assert len(last.time) == 2


def test_datagrams_have_neither_flags_nor_acknowledgements():
    packets = played([(0, True, 5000), (RTT, False, 700)], ends(tcp=False))
    assert packets.length.tolist() == [5000, 700]
    assert packets.flags.tolist() == [0, 0]


def test_conversations_do_not_mix():
    two = ends(2)
    said = Messages(
        np.array([0, 1]), np.array([START + 100_000] * 2), np.array([True, False]), np.array([0, 8]), np.array([5, 7])
    )
    packets = packets_of(two, said)
    alone = [packets.take(packets.conversation == row) for row in (0, 1)]
    assert alone[0].length.sum() == 5
    assert alone[1].length.sum() == 7
    assert (np.diff(packets.conversation) >= 0).all()
    assert all((np.diff(one.time) >= 0).all() for one in alone)


def test_identification_counts_up_by_direction():
    packets = played([(100_000, True, 5000)])
    mine = packets.ident[packets.local]
    assert (np.diff(mine) % 65536 == 1).all()


@pytest.mark.parametrize(("six", "mtu"), [(False, 1427), (True, 1447)])
def test_a_datagram_beyond_the_mtu_is_refused(six, mtu):
    packets = played([(100_000, True, 1400)], ends(tcp=False))
    tcp, family = np.array([False]), np.array([six])
    refuse_larger(packets, tcp, family, mtu + 1)
    refuse_larger(packets, ~tcp, family, mtu)
    with pytest.raises(StageError, match=f"a packet of {mtu + 1} bytes, expected mtu = {mtu} at most"):
        refuse_larger(packets, tcp, family, mtu)
