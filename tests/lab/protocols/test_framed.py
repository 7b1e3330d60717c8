"""The protocols whose frames are lengths before bytes: opaque, datagram, mux, push."""

import shutil
import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from lab.protocols import datagram, mux, opaque, push

PAIRS = st.lists(st.tuples(st.integers(0, 120_000), st.integers(0, 120_000)), min_size=1, max_size=5)


def rows(pairs):
    return [(1_000_000 * i, up, down, 5) for i, (up, down) in enumerate(pairs)]


def total(said, *, from_client):
    return sum(len(m.data) for m in said if m.from_client == from_client)


@given(PAIRS)
def test_opaque_and_datagram_say_exactly_what_was_asked(dialogue, pairs):
    for name in (opaque, datagram):
        said = list(name.messages(dialogue(rows(pairs))))
        assert total(said, from_client=True) == sum(up for up, _ in pairs)
        assert total(said, from_client=False) == sum(down for _, down in pairs)
        assert [m.pushed for m in said if not m.from_client] == [
            not up for up, down in pairs for _ in range(1 if name is opaque else -(-down // 1400)) if down
        ]
    assert all(len(m.data) <= 1400 for m in said)


def test_datagrams_are_wireguards(dialogue):
    plan = [(0, 148, 92, 9), (1, 32, 0, 0), (2, 1405, 3_000, 9), (3, 148, 92, 9), (4, 0, 500, 9)]
    said = list(datagram.messages(dialogue(plan)))
    assert [(m.data[0], len(m.data)) for m in said[:3]] == [(1, 148), (2, 92), (4, 32)]
    assert all(m.data[1:4] == bytes(3) for m in said)
    asked, answered, again, later = (said[i].data for i in (0, 1, -3, -2))
    assert answered[8:12] == asked[4:8]
    assert asked[-16:] == answered[-16:] == bytes(16)
    assert asked[4:8] != again[4:8]
    for own, index in ((True, answered[4:8]), (False, asked[4:8])):
        data = [m.data for m in said[2:-3] if m.from_client == own]
        assert {d[4:8] for d in data} == {index}
        assert [int.from_bytes(d[8:16], "little") for d in data] == list(range(len(data)))
        assert all(len(d) >= 32 for d in data)
    last = said[-1].data
    assert (last[4:8], last[8:16], said[-1].pushed) == (again[4:8], bytes(8), True)
    assert later[8:12] == again[4:8]


@pytest.mark.tools
def test_tshark_reads_wireguard_and_finds_nothing_malformed(dialogue, tmp_path):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    plan = [(0, 148, 92, 9), *((i, 300 + i, 1_401 + 7 * i, 9) for i in range(1, 400)), (400, 32, 0, 0)]
    said = list(datagram.messages(dialogue(plan)))
    noise = [message.data[16:] for message in said[2:]]
    counts = [wireshark(data, tmp_path / "wg.pcap") for data in ([m.data for m in said], noise)]
    assert counts[0] == {"wg": len(said)}
    assert set(counts[1]) != {"wg"}, "the control must be read otherwise"


def wireshark(payloads, path):
    """How many packets tshark gives to which protocol on top of UDP; "malformed" among them."""
    below = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.88.0.2", dst="198.18.0.9")
    wrpcap(str(path), [below / UDP(sport=40_000, dport=51_820) / data for data in payloads])
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed"]
    rows = [
        line.split("\t")
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    return Counter("malformed" if row[1:] and row[1] else row[0].split(":udp:")[-1] for row in rows)


def yamux(data):
    """(type, flags, stream, length) of each frame, read as its specification says."""
    place, found = 0, []
    while place < len(data):
        version, kind = data[place], data[place + 1]
        flags, stream, length = (
            int.from_bytes(data[place + a : place + b], "big") for a, b in ((2, 4), (4, 8), (8, 12))
        )
        assert version == 0
        assert kind in {0, 1, 2}
        assert (stream == 0) == (kind == 2)
        found.append((kind, flags, stream, length))
        place += 12 + (length if kind == 0 else 0)
    assert place == len(data)
    return found


@given(PAIRS)
def test_streams_open_once_and_are_acknowledged_by_the_other_side(dialogue, pairs):
    opened, acknowledged = {}, set()
    for message in mux.messages(dialogue(rows(pairs))):
        for kind, flags, stream, length in yamux(message.data):
            if kind == 2:
                continue
            if flags & 1:
                assert stream not in opened
                assert stream % 2 == (1 if message.from_client else 0)
                opened[stream] = message.from_client
            assert stream in opened
            if flags & 2:
                assert message.from_client != opened[stream]
                acknowledged.add(stream)
            if kind == 0:
                assert 0 < length <= 1 << 15
    assert acknowledged <= set(opened)


@given(st.integers(25, 300_000), st.integers(25, 300_000))
def test_mux_sizes_include_the_headers(dialogue, up, down):
    assert [len(m.data) for m in mux.messages(dialogue([(0, up, down, 5)]))] == [up, down]


def test_the_device_answers_the_oldest_stream_the_server_opened(dialogue):
    said = list(
        mux.messages(dialogue([(0, 0, 90, 0), (5, 0, 90, 0), (10, 400, 0, 0), (20, 400, 0, 0), (30, 99, 0, 0)]))
    )
    assert [yamux(m.data)[0][2] for m in said] == [2, 4, 2, 4, 1]
    assert [m.pushed for m in said] == [True, True, False, False, False]


def test_small_exchanges_are_pings_with_one_value(dialogue):
    ask, answer, *_ = mux.messages(dialogue([(0, 12, 12, 5)]))
    assert yamux(ask.data) == [(2, 1, 0, 0)]
    assert yamux(answer.data) == [(2, 2, 0, 0)]


def frames(data):
    """(tag, length) of each MCS frame; the varint is read as Protocol Buffers say."""
    place, found = 0, []
    while place < len(data):
        tag, size, shift, place = data[place], 0, 0, place + 1
        while True:
            byte = data[place]
            size |= (byte & 0x7F) << shift
            shift, place = shift + 7, place + 1
            if byte < 0x80:
                break
        found.append((tag, size))
        place += size
    assert place == len(data)
    return found


@given(PAIRS)
def test_push_frames_are_read_back_after_the_login(dialogue, pairs):
    ask, answer, *said = push.messages(dialogue(rows(pairs)))
    assert (ask.data[0], answer.data[0]) == (41, 41)
    assert (frames(ask.data[1:])[0][0], frames(answer.data[1:])[0][0]) == (2, 3)
    sizes = [size for pair in pairs for size in pair if size]
    for message, size in zip(said, sizes, strict=True):
        assert len(frames(message.data)) == 1
        assert len(message.data) == max(size, 2) or 0 < size - len(message.data) <= 1


def test_heartbeats_are_told_from_data(dialogue):
    said = list(push.messages(dialogue([(0, 8, 6, 5), (10**6, 0, 300, 0), (2 * 10**6, 0, 8, 0)])))[2:]
    assert [frames(m.data)[0][0] for m in said] == [0, 1, 8, 0]
    assert [m.pushed for m in said] == [False, False, True, True]


@pytest.mark.tools
@pytest.mark.parametrize(("name", "port"), [(opaque, 4433), (mux, 45_100), (push, 5228)])
def test_tshark_and_suricata_find_nothing_odd(dialogue, malformed, anomalies, name, port):
    talks = [
        list(name.messages(dialogue(rows([(300, 4_000), (90, 0), (0, 2_000), (12, 12)]), seed=seed)))
        for seed in range(5)
    ]
    assert malformed(talks, port) == []
    assert anomalies(talks, port) == []
