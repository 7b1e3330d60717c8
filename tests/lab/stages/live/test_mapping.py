"""Captures in scenario time: every frame is in the new file, each conversation in its order, what is odd is counted."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import numpy as np
import pytest

from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.records import read_records
from lab.recording import _measure
from lab.stages.frames import file_header
from lab.stages.live.mapping import map_captures
from lab.stages.live.pace import Tempo, planned
from lab.stages.live.script import Played
from lab.stages.live.tuples import index_flows

EPOCH, START, SPEED = 1_800_000_000_000_000, 1_772_409_600_000_000, 60
PHONE, TABLET, SERVER = "10.88.3.4", "10.88.3.5", "198.18.7.9"
DEVICES = np.array([(10 << 24) + (88 << 16) + (3 << 8) + last for last in (4, 5)])
SECOND, MINUTE = 1_000_000, 60_000_000
A, B = (PHONE, 40_000), (SERVER, 443)


def packed(address):
    return bytes(map(int, address.split(".")))


def ip(source, target, proto, body, *, ident=1, part=0, ttl=64, options=b""):
    words = struct.pack(
        "!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), ident, part, ttl, proto, 0
    )
    return bytes(12) + b"\x08\0" + words + packed(source) + packed(target) + options + body


def tcp(one, other, said=b"", *, flags=0x10, **more):
    head = struct.pack("!HHIIBBHHH", one[1], other[1], 1, 1, 0x50, flags, 0, 0, 0)
    return ip(one[0], other[0], 6, head + said, **more)


def udp(one, other, said=b"", **more):
    return ip(one[0], other[0], 17, struct.pack("!HHHH", one[1], other[1], 8 + len(said), 0) + said, **more)


def pcap(path, rows):
    """Rows of (real us, frame)."""
    heads = (np.array([*divmod(EPOCH + t, SECOND), len(data), len(data)], dtype="<u4").tobytes() for t, data in rows)
    path.write_bytes(file_header() + b"".join(head + data for head, (_, data) in zip(heads, rows, strict=True)))
    return path


def read(path):
    file = MappedFile(path)
    records = read_records(file, path, ONE_LANE)
    assert records.damage is None
    frames = file.spans(records.offset, records.offset + records.caplen)
    return [(time - START, data) for time, data in zip(records.time.tolist(), frames, strict=True)]


def flows(*rows):
    """Conversations of (client, server, transport, opened, closed, scenario times of their bursts), real us."""
    scripts = [SimpleNamespace(n=n, transport=row[2]) for n, row in enumerate(rows)]
    played = [Played(n, r[0], r[1], EPOCH + r[3], EPOCH + r[4], 0, 0) for n, r in enumerate(rows)]
    courses = {n: planned(START + np.array(row[5]), START, SPEED) for n, row in enumerate(rows)}
    return index_flows(scripts, played, courses, Tempo(EPOCH, START, SPEED))


@pytest.fixture
def mapped(tmp_path):
    """``mapped(rows or files, *conversations)``: what was said of them, and the new file."""

    def made(given, *conversations):
        files = given if given and hasattr(given[0], "read_bytes") else [pcap(tmp_path / "in.pcap", given)]
        found = map_captures(files, tmp_path / "out.pcap", flows(*conversations), DEVICES)
        assert found.entry == _measure(tmp_path / "out.pcap"), "what was counted on the way is what reading finds"
        return found, read(tmp_path / "out.pcap")

    return made


POLL = (A, B, "tcp", 0, 5 * SECOND, [0, MINUTE, 5 * MINUTE])


def test_bursts_go_where_they_were_planned_and_strays_run_fast(mapped):
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    rows = [
        (10, tcp(A, B, flags=2)),
        (500_000, arp),
        (SECOND, tcp(A, B, b"ask")),
        (SECOND + 300, tcp(B, A, b"answer")),
        (5 * SECOND + 7, tcp(A, B, flags=0x11)),
    ]
    found, now = mapped(rows, POLL)
    assert [time for time, _ in now] == [10, MINUTE // 2, MINUTE, MINUTE + 300, 5 * MINUTE + 7]
    assert [data for _, data in now] == [data for _, data in rows]
    assert found.strays == {"arp": 1}
    assert found.opened.tolist() == [True]
    assert (found.first - START).tolist() == [10]
    assert {name: column.tolist() for name, column in vars(found.carried).items()} == {
        "end": [START + 5 * MINUTE + 7],
        "bytes_up": [3],
        "bytes_down": [6],
        "packets_up": [3],
        "packets_down": [1],
    }
    assert (found.twice, found.backwards, found.lost_bytes, found.faults) == (0, 0, 0, ())


def test_conversations_pass_each_other_but_not_themselves(mapped):
    late = (("10.88.3.5", 5), B, "tcp", 0, SECOND, [9 * MINUTE])
    rows = [(1, tcp(("10.88.3.5", 5), B)), (2, tcp(A, B)), (3, tcp(("10.88.3.5", 5), B, b"x"))]
    _, now = mapped(rows, POLL, late)
    assert [data for _, data in now] == [rows[1][1], rows[0][1], rows[2][1]]


def test_a_clock_that_goes_back_changes_no_order_within_a_conversation(mapped):
    rows = [(500, tcp(A, B, b"1")), (400, tcp(A, B, b"2")), (600, tcp(A, B, b"3"))]
    found, now = mapped(rows, POLL)
    assert [data[-1:] for _, data in now] == [b"1", b"2", b"3"]
    assert [time for time, _ in now] == [500, 500, 600]
    assert found.backwards == 1


def test_ports_used_again_are_two_conversations(mapped):
    again = (A, B, "tcp", 20 * SECOND, 21 * SECOND, [20 * MINUTE, 21 * MINUTE])
    rows = [
        (0, tcp(A, B, flags=2)),
        (5 * SECOND, tcp(A, B)),
        (20 * SECOND, tcp(A, B, flags=2)),
        (21 * SECOND, tcp(B, A)),
    ]
    found, now = mapped(rows, POLL, again)
    assert [time for time, _ in now] == [0, 5 * MINUTE, 20 * MINUTE, 21 * MINUTE]
    assert found.carried.packets_up.tolist() == [2, 1]
    assert found.opened.tolist() == [True, True]


def test_datagrams_open_by_themselves_and_answers_do_not(mapped):
    ask = (A, (SERVER, 53), "udp", 0, SECOND, [0])
    for first, opened in ((udp(A, (SERVER, 53), b"q"), True), (udp((SERVER, 53), A, b"a"), False)):
        found, _ = mapped([(0, first)], ask)
        assert found.opened.tolist() == [opened]
        assert found.carried.bytes_up.tolist() == [int(opened)]


def test_a_syn_answered_is_no_opening_and_a_late_start_none(mapped):
    found, _ = mapped([(0, tcp(B, A, flags=0x12)), (1, tcp(A, B, b"x"))], POLL)
    assert found.opened.tolist() == [False]


def test_fragments_follow_their_first(mapped):
    ask = (A, (SERVER, 53), "udp", 0, SECOND, [0, MINUTE])
    whole = struct.pack("!HHHH", A[1], 53, 8 + 32, 0) + bytes(range(32))
    rows = [
        (SECOND, ip(PHONE, SERVER, 17, whole[:24], ident=9, part=0x2000)),
        (SECOND + 1, ip(PHONE, SERVER, 17, whole[24:], ident=9, part=3)),
        (SECOND + 2, ip(PHONE, SERVER, 17, b"who?", ident=8, part=3)),
    ]
    found, now = mapped(rows, ask)
    assert [time for time, _ in now] == [MINUTE, MINUTE + 1, MINUTE + 120]
    assert found.strays == {"fragment": 1}
    assert found.carried.packets_up.tolist() == [2]
    assert found.carried.bytes_up.tolist() == [32]


def test_strays_are_named(mapped):
    short = ip(PHONE, SERVER, 6, b"")[:20]
    rows = [
        (0, bytes(12) + b"\x86\xdd" + bytes(40)),
        (1, ip(PHONE, SERVER, 1, bytes(8))),
        (2, tcp(A, (SERVER, 444))),
        (3, udp(A, B)),
        (4, ip(PHONE, SERVER, 47, bytes(30))),
        (5, ip(PHONE, SERVER, 6, bytes(7))),
        (6, bytes(12) + b"\x88\xcc" + bytes(9)),
        (7, short),
        (8, b""),
    ]
    found, now = mapped(rows, POLL)
    assert found.strays == {"tcp": 1, "udp": 1, "icmp": 1, "ip": 2, "ipv6": 1, "other": 3}
    assert sorted(data for _, data in now) == sorted(data for _, data in rows)


def test_a_header_with_options_is_read_behind_them(mapped):
    found, _ = mapped([(0, tcp(A, B, b"abc", flags=2, options=b"\x01" * 8))], POLL)
    assert found.opened.tolist() == [True]
    assert found.carried.bytes_up.tolist() == [3]


def test_frames_between_devices_seen_twice_are_kept_and_counted(mapped):
    pair = (A, (TABLET, 1080), "tcp", 0, SECOND, [0])
    rows = [(k, tcp(A, (TABLET, 1080), b"x", ident=k // 2, ttl=64 - k % 2, flags=2)) for k in range(6)]
    found, now = mapped(rows, pair)
    assert found.twice == 3
    assert len(now) == 6
    again = [(k, tcp(A, (TABLET, 1080), b"x", ident=7)) for k in range(3)]
    assert mapped(again, pair)[0].twice == 0, "sent again is not seen twice"


@pytest.mark.parametrize("cut", [1, 15, 20, 60])
def test_a_cut_capture_loses_its_last_frame_and_says_how_many_bytes(mapped, tmp_path, cut):
    rows = [(k, tcp(A, B, bytes(20))) for k in range(3)]
    path = pcap(tmp_path / "cut.pcap", rows)
    size = len(rows[0][1]) + 16
    path.write_bytes(path.read_bytes()[:-cut])
    found, now = mapped([path], POLL)
    assert len(now) == 2
    assert found.lost_bytes == size - cut
    assert "cut.pcap: packet 3" in found.faults[0]


@pytest.mark.parametrize(
    "content", [b"", b"\xd4\xc3\xb2\xa1", b"no capture at all, really not", file_header() + b"half"]
)
def test_what_is_no_capture_is_lost_whole_and_said(mapped, tmp_path, content):
    (tmp_path / "bad.pcap").write_bytes(content)
    good = pcap(tmp_path / "good.pcap", [(0, tcp(A, B, flags=2))])
    found, now = mapped([tmp_path / "bad.pcap", good], POLL)
    assert len(now) == 1
    assert found.lost_bytes == len(content.removeprefix(file_header()))
    assert found.faults[0].startswith("bad.pcap: ")


def test_another_link_type_is_a_fault(mapped, tmp_path):
    content = pcap(tmp_path / "x.pcap", [(0, tcp(A, B))]).read_bytes()
    (tmp_path / "x.pcap").write_bytes(content[:20] + (113).to_bytes(4, "little") + content[24:])
    found, now = mapped([tmp_path / "x.pcap"], POLL)
    assert (found.lost_bytes, now) == (len(content), [])
    assert found.faults == ("x.pcap: found link type 113, expected 1",)


def test_captures_follow_one_another_and_none_is_a_capture_too(mapped, tmp_path):
    parts = [pcap(tmp_path / f"{k}.pcap", [(k * SECOND, tcp(A, B, bytes([k])))]) for k in (0, 1)]
    _, now = mapped(parts, POLL)
    assert [time for time, _ in now] == [0, MINUTE]
    found, now = mapped([pcap(tmp_path / "none.pcap", [])], POLL)
    assert (found.entry["packets"], found.strays, now) == (0, {}, [])
    assert mapped([(0, tcp(A, B))])[0].strays == {"tcp": 1}, "nothing was played"
