"""DNS over TCP: every message of the stream, when it was said, and what a stream that cannot be read leaves."""

import struct
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture import dns_streams
from detector.capture.flows import cut
from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.packets import decode
from detector.capture.pairs import pair
from detector.capture.records import read_records
from detector.contacts import Flows, Merging, crowd_of, flow_pairs, outbound_rows
from detector.contract import Progress
from detector.lookups import read_lookups

SYN, SYN_ACK, PSH = 0x02, 0x12, 0x18
MINUTE_US = 60_000_000


def prefixed(message):
    return struct.pack(">H", len(message)) + message


def message(ident, name, flags=0x0100, answers=b""):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    count = len(answers) // 16
    return struct.pack(">HHHHHH", ident, flags, 1, count, 0, 0) + labels + b"\0\0\x01\0\x01" + answers


def query(ident, name="a.example"):
    return prefixed(message(ident, name))


def answer(ident, name="a.example"):
    return prefixed(message(ident, name, 0x8180, b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc6\x12\0\x05"))


class Talk:
    """One TCP connection to port 53."""

    def __init__(self, wire, port=40_000):
        self.wire, self.port, self.place = wire, port, {False: 1, True: 1}
        self.packets = [self._tcp(-2, 0, SYN, b"", down=False), self._tcp(-1, 0, SYN_ACK, b"", down=True)]

    def _tcp(self, at_us, seq, flags, payload, down):
        return self.wire.tcp(at_us, seq, flags, payload, down=down, port=self.port, server_port=53)

    def say(self, at_us, payload, *, down=False, lost=False):
        if not lost:
            self.packets.append(self._tcp(at_us, self.place[down], PSH, payload, down))
        self.place[down] += len(payload)


def polls(wire, count, port=40_000, name="c2.example"):
    talk = Talk(wire, port)
    for minute in range(count):
        talk.say(minute * MINUTE_US, query(minute, name))
        talk.say(minute * MINUTE_US + 900, answer(minute, name), down=True)
    return talk.packets


def read(wire, packets):
    return wire.read(wire.pcap(packets))


def considered(found):
    """Which flows are left to the exchanges, and which look-ups there are."""
    table = found.flows
    for column, value in (("device", "phone"), ("package", None)):
        table = table.append_column(column, [[value] * table.num_rows])
    for column in ("inbound", "uid"):
        table = table.append_column(column, [[0] * table.num_rows])
    flows = Flows.read(table)
    return flows, outbound_rows(flows, read_lookups(found.dns, flows), frozenset())


def test_every_question_of_a_long_connection_is_a_row_with_its_own_time(wire):
    found = read(wire, polls(wire, 300))
    rows = found.dns.to_pylist()
    first = rows[0]["time"]
    assert [row["time"] - first for row in rows] == [minute * MINUTE_US for minute in range(300)]
    assert {row["answered"] - row["time"] for row in rows} == {900}
    assert {tuple(row["answers"]) for row in rows} == {("198.18.0.5",)}
    assert {(row["bytes_up"], row["bytes_down"]) for row in rows} == {(28, 44)}
    assert found.stats.dns_streams_cut == 0
    assert considered(found)[1].tolist() == [], "all of it is in the dns table"


def test_answers_belong_to_the_question_before_them_when_identifiers_repeat(wire):
    talk = Talk(wire)
    for minute in range(3):
        talk.say(minute * MINUTE_US, query(7))
        talk.say(minute * MINUTE_US + 10 + minute, answer(7), down=True)
    assert [row["answered"] - row["time"] for row in read(wire, talk.packets).dns.to_pylist()] == [10, 11, 12]


def test_a_message_has_the_time_of_the_segment_in_which_it_begins(wire):
    stream = query(1) + query(2) + query(3)
    talk = Talk(wire)
    for at, (begin, end) in enumerate(pairwise([0, 10, 31, 70, len(stream)])):
        talk.say(at, stream[begin:end])
    rows = read(wire, talk.packets).dns.to_pylist()
    assert [row["time"] - rows[0]["time"] for row in rows] == [0, 1, 2]  # they begin at bytes 0, 29 and 58


@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(1, 289)), order=st.randoms(use_true_random=False), twice=st.sets(st.integers(0, 20)))
def test_segments_in_any_size_and_order_and_repeated(wire, cuts, order, twice):
    stream = b"".join(query(ident) for ident in range(10))
    talk = Talk(wire)
    for begin, end in pairwise(sorted({0, len(stream), *cuts})):
        talk.say(0, stream[begin:end])
    segments = talk.packets[2:]
    segments += [segments[place] for place in twice if place < len(segments)]
    order.shuffle(segments)
    timed = [type(one)(at, one.frame) for at, one in enumerate(segments)]
    found = read(wire, [*talk.packets[:2], *timed])
    assert found.dns.num_rows == 10
    assert set(found.dns["bytes_up"].to_pylist()) == {27}
    assert found.stats.dns_streams_cut == 0


def test_a_hole_is_counted_and_what_comes_after_it_stays_with_the_exchanges(wire):
    talk = Talk(wire)
    for minute in range(40):
        talk.say(minute * MINUTE_US, query(minute), lost=minute == 5)
        talk.say(minute * MINUTE_US + 900, answer(minute), down=True)
    found = read(wire, talk.packets)
    assert found.stats.dns_streams_cut == 1
    assert sum(size > 0 for size in found.dns["bytes_up"].to_pylist()) == 5
    flows, rows = considered(found)
    (count,) = crowd_of(flow_pairs(flows, rows), found.exchanges, Merging((2.0,), 6)).counts
    assert count >= 39


@pytest.mark.parametrize("kept", [60, 80])
def test_a_segment_cut_by_the_snap_length_is_counted(wire, kept):
    packets = [type(one)(one.at_us, one.frame[:kept], len(one.frame)) for one in polls(wire, 9)]
    found = read(wire, packets)
    assert (found.dns.num_rows, found.stats.dns_streams_cut) == (0, 2)
    assert considered(found)[1].tolist() == [0]


def test_a_stream_that_turns_to_something_else_stays_with_the_exchanges(wire):
    talk = Talk(wire)
    talk.say(0, query(1))
    for minute in range(20):
        talk.say(minute * MINUTE_US, b"\0\x01" + bytes(40))
    found = read(wire, talk.packets)
    assert found.dns.num_rows == 1
    assert considered(found)[1].tolist() == [0]


def test_beyond_the_bound_the_longest_streams_are_cut_and_counted(wire, monkeypatch):
    packets = polls(wire, 40) + polls(wire, 3, 40_001, "short.example")
    monkeypatch.setattr(dns_streams.streamed, "__defaults__", (30 * 4 + 29 + 33 * 3,))
    found = read(wire, packets)
    asked = [row["qname"] for row in found.dns.to_pylist() if row["bytes_up"]]
    assert (asked.count("c2.example"), asked.count("short.example")) == (4, 3)
    assert found.stats.dns_streams_cut == 3, "of the answers the short ones as well"
    flows, rows = considered(found)
    assert flows.up[rows].tolist() == [40 * 30], "the cut flow is left to its exchanges, the whole one is not"


def flows_of(wire, count):
    packets = [wire.tcp(at, 1, PSH, query(at), port=10_000 + at, server_port=53) for at in range(count)]
    path = wire.write(wire.pcap(packets))
    file = MappedFile(path)
    decoded, _ = decode(file, read_records(file, path, ONE_LANE), Progress(), ONE_LANE)
    return cut(pair(decoded, ONE_LANE)), file


def growth(wire, work):
    """How many times longer sixteen times the flows take; the least of some tries, since waiting only ever adds."""

    def least(count):
        flows, file = flows_of(wire, count)
        taken = []
        for _ in range(3):
            begun = process_time()
            work(flows, file)
            taken.append(process_time() - begun)
        return min(taken)

    return least(40_000) / least(2_500)


def test_many_flows_cost_no_more_than_their_number(wire):
    assert growth(wire, dns_streams.streamed) < 32


def test_the_measure_sees_a_column_walked_once_for_every_flow(wire):
    def walk(flows, _file):
        return [flows.streams[0].row[flows.streams[0].slot == slot].min() for slot in range(len(flows))]

    assert growth(wire, walk) > 32


def test_tls_of_port_853_is_not_read(wire):
    packets = [wire.tcp(at, 1 + 30 * at, PSH, query(at), server_port=853) for at in range(3)]
    found = read(wire, packets)
    assert (found.dns.num_rows, found.stats.dns_streams_cut) == (0, 0)


@given(sizes=st.lists(st.integers(1, 1_000), min_size=1, max_size=30), most=st.integers(0, 5_000))
def test_fair_shares_keep_within_the_bound_and_waste_nothing(sizes, most):
    share = dns_streams._fair(dns_streams.np.array(sizes), most)
    given_out = sum(min(size, share) for size in sizes)
    if sum(sizes) <= most:
        assert given_out == sum(sizes)
    else:
        assert most - len(sizes) < given_out <= most
