"""The manner of a host: link headers, tapes, filling, trailers."""

import numpy as np
import pytest

from detector.capture.network import AddressBook
from lab.injecting.habits import ANSWER, DOWN, NAMES, OPENING, OTHER, STREAM, UP, Manner, directions, typed
from lab.injecting.heads import heads
from lab.injecting.parts import parts


def manner_of(path, host):
    found, book = Manner(), AddressBook()
    for part in parts(path):
        some = heads(part, book)
        ways = directions(some, host)
        found.add(part, some.take(ways >= 0), ways[ways >= 0])
    return found


@pytest.fixture
def manner(backgrounds, tmp_path):
    path = backgrounds.background(30).save(tmp_path / "home.pcap")
    return manner_of(path, (False, int.from_bytes(backgrounds.packed(backgrounds.PHONE))))


def test_tapes_hold_what_the_host_sends_and_is_sent(manner):
    tapes = manner.tapes()
    assert len(tapes[STREAM, UP, OPENING]) == len(tapes[STREAM, DOWN, ANSWER]) == 30
    assert set(tapes[STREAM, UP, OPENING].mss.tolist()) == {1_380}
    assert set(tapes[STREAM, UP, OTHER].ttl.tolist()) == {64}
    assert set(tapes[STREAM, DOWN, OTHER].ttl.tolist()) <= {52, 57, 117}
    assert set(tapes[NAMES, DOWN, OTHER].ident.tolist()) == {0}
    ids = tapes[STREAM, UP, OTHER].ident  # flow after flow: most are one more than the one before
    assert np.mean(np.diff(ids) == 1) > 0.6


def test_a_closed_window_is_not_read(backgrounds, tmp_path):
    ends = ("192.168.7.23", "93.184.1.1")
    said = [backgrounds.segment((40_000, 443), k, 9, 16, window) for k, window in enumerate((0, 131, 0, 140))]
    packets = [(k, True, backgrounds.datagram(ends, 6, one, 64, k)) for k, one in enumerate(said)]
    path = backgrounds.Background(packets).save(tmp_path / "x.pcap")
    tape = manner_of(path, None).tapes()[STREAM, UP, OTHER]
    assert tape.window.tolist() == [131, 131, 131, 140]


def test_the_link_header_is_the_usual_one_of_direction_and_class(manner, backgrounds):
    up, down = backgrounds.LINK_HEADERS[1]
    assert manner.header(UP, STREAM, v6=False) == up
    assert manner.header(DOWN, NAMES, v6=False) == down
    assert manner.header(UP, STREAM, v6=True) == up[:12] + b"\x86\xdd"
    assert Manner().header(UP, STREAM, v6=False) == bytes(12) + b"\x08\x00"


@pytest.mark.parametrize(
    ("link", "header", "six"),
    [
        (101, b"", b""),
        (113, bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
        (276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
        (0, b"\x02\0\0\0", b"\x1e\0\0\0"),
        (108, b"\0\0\0\x02", b"\0\0\0\x1e"),
    ],
)
def test_a_link_header_says_the_version(link, header, six):
    assert typed(header, link, v6=True) == six
    assert typed(six, link, v6=False) == header


def test_frames_are_filled_where_the_capture_fills_them(backgrounds, tmp_path):
    home = backgrounds.background(5)
    home.packets = [(time, up, data.ljust(46, b"\0")) for time, up, data in home.packets]
    filled = manner_of(home.save(tmp_path / "filled.pcap"), None)
    assert (filled.shortest(UP), filled.shortest(DOWN)) == (60, 60)
    plain = manner_of(backgrounds.background(5).save(tmp_path / "plain.pcap"), None)
    assert plain.shortest(UP) == 0


def test_a_snap_length_is_seen(backgrounds, tmp_path):
    assert manner_of(backgrounds.background(5).save(tmp_path / "cut.pcap", snap=120), None).snap == 120
    assert manner_of(backgrounds.background(5).save(tmp_path / "plain.pcap"), None).snap == 0
