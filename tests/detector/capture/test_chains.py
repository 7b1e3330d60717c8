"""Speculative walking gives what walking in order gives, whatever stands in the packets."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture import pcap, pcapng
from detector.capture.chains import walk_in_order, walk_pieces
from detector.capture.lanes import Lanes
from detector.capture.mapped import MappedFile


def same(links, pieces, window):
    expected, stop = walk_in_order(links, links.start, links.end)
    for threads in (1, 2):
        found, at = walk_pieces(links, pieces, window, Lanes(threads))
        assert found.tolist() == expected.tolist()
        assert at == stop
    return found


def decoy(form, fake_length):
    """Bytes inside a packet that look like a record or block."""
    if form == "pcap":
        return struct.pack("<IIII", 1_772_409_600, 5, fake_length, fake_length) + bytes(fake_length)
    size = 32 + fake_length // 4 * 4
    return struct.pack("<IIIIIII", 6, size, 0, 0, 0, 0, 0) + bytes(size - 32) + struct.pack("<I", size)


@settings(max_examples=120, deadline=None)
@given(
    form=st.sampled_from(["pcap", "pcapng"]),
    order=st.sampled_from("<>"),
    sizes=st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(0, 60)), max_size=60),
    pieces=st.integers(2, 40),
    window=st.integers(16, 400),
    cut=st.integers(0, 30),
)
def test_pieces_agree_with_walking_in_order(wire, form, order, sizes, pieces, window, cut):
    packet = type(wire.tcp(0, 0, 0))
    packets = [
        packet(number, bytes(size) + (decoy(form, fake) if decoyed else b"\xff" * fake))
        for number, (size, decoyed, fake) in enumerate(sizes)
    ]
    data = wire.pcap(packets, order=order) if form == "pcap" else wire.pcapng(packets, order)
    file = MappedFile(wire.write(data[: len(data) - cut] if cut < len(data) - 48 else data))
    if form == "pcap":
        links = pcap.PcapLinks(file, order, 24, file.size)
    else:
        links = pcapng.BlockLinks(file, order, 0, file.size)
    same(links, pieces, window)


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_true_guesses_are_used_and_false_ones_only_cost_time(wire, form, monkeypatch):
    packets = [wire.udp(number, bytes(200)) for number in range(400)]
    file = MappedFile(wire.write(getattr(wire, form)(packets)))
    links = pcap.PcapLinks(file, "<", 24, file.size) if form == "pcap" else pcapng.BlockLinks(file, "<", 0, file.size)
    calls = []
    original = type(links).length
    monkeypatch.setattr(type(links), "length", lambda self, offset: calls.append(offset) or original(self, offset))
    found, _ = walk_pieces(links, 8, 1_024)
    assert len(calls) <= 60, "with true guesses only one record per piece is read alone"
    honest = found.tolist()
    calls.clear()
    monkeypatch.setattr(type(links), "guess", lambda _self, begins, _window: begins + 1)
    found, _ = walk_pieces(links, 8, 1_024)
    assert len(calls) > 300, "with false guesses every piece is walked again"
    assert found.tolist() == honest
    assert len(honest) == 400 + (2 if form == "pcapng" else 0)


def test_a_record_that_cannot_be_read_stops_the_walk_in_any_piece(wire):
    packets = [wire.udp(number, bytes(150)) for number in range(100)]
    size = 16 + len(packets[0].frame)
    for broken in (0, 1, 49, 98, 99):
        data = bytearray(wire.pcap(packets))
        struct.pack_into("<I", data, 24 + broken * size + 8, 2**31)
        file = MappedFile(wire.write(bytes(data)))
        found = same(pcap.PcapLinks(file, "<", 24, file.size), 7, 512)
        assert len(found) == broken


def test_records_longer_than_a_piece(wire):
    packet = type(wire.tcp(0, 0, 0))
    packets = [packet(0, bytes(3_000)), packet(1, b"\x11" * 20), packet(2, bytes(5_000)), packet(3, b"")]
    file = MappedFile(wire.write(wire.pcap(packets)))
    assert len(same(pcap.PcapLinks(file, "<", 24, file.size), 64, 128)) == 4


def test_large_file_is_walked_in_pieces(wire):
    rng = np.random.default_rng(5)
    packet = type(wire.tcp(0, 0, 0))
    sizes = rng.integers(0, 2_000, 6_000)
    packets = [packet(int(at), rng.bytes(int(size))) for at, size in enumerate(sizes)]
    for form in ("pcap", "pcapng"):
        read = wire.read(getattr(wire, form)(packets))
        assert read.stats.packets == 6_000
        assert read.stats.file_bytes > 4 << 20
