"""IPv4 and IPv6 headers: lengths bound the payload, fragments are counted, contradictions are left out."""

import struct

import pytest

from detector.capture.mapped import MappedFile
from detector.capture.network import MAX_EXTENSIONS

A, B = bytes.fromhex("20010db8") + bytes(11) + b"\x01", bytes.fromhex("20010db8") + bytes(11) + b"\x02"


def read(wire, *frames, wire_bytes=None):
    kind = type(wire.tcp(0, 0, 0))
    return wire.read(wire.pcap([kind(number, frame, wire_bytes) for number, frame in enumerate(frames)], link=101))


def bytes_of(capture):
    return [(row["bytes_up"], row["client_port"]) for row in capture.flows.to_pylist()]


def datagram(wire, size=10, **changes):
    return wire.udp_datagram(40_000, 9_000, bytes(size), **changes)


def test_total_length_bounds_the_payload(wire):
    packet = wire.ipv4("10.0.0.1", "10.0.0.2", 17, datagram(wire))
    assert bytes_of(read(wire, packet + bytes(18))) == [(10, 40_000)]


def test_total_length_0_is_segmentation_offload(wire):
    packet = wire.ipv4("10.0.0.1", "10.0.0.2", 6, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(3_000)), total=0)
    assert bytes_of(read(wire, packet)) == [(3_000, 40_000)]


def test_total_length_longer_than_the_frame_counts_what_was_on_the_wire(wire):
    packet = wire.ipv4("10.0.0.1", "10.0.0.2", 6, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(50)), total=9_000)
    assert bytes_of(read(wire, packet)) == [(50, 40_000)]


def test_bytes_beyond_the_snap_length_count(wire):
    packet = wire.ipv4("10.0.0.1", "10.0.0.2", 6, wire.tcp_segment(40_000, 443, 1, 0x18, bytes(1_000)))
    assert bytes_of(read(wire, packet[:60], wire_bytes=len(packet))) == [(1_000, 40_000)]


@pytest.mark.parametrize("words", [6, 15])
def test_header_options_are_skipped(wire, words):
    packet = wire.ipv4("10.0.0.1", "10.0.0.2", 17, datagram(wire), options=bytes(4 * words - 20))
    assert bytes_of(read(wire, packet)) == [(10, 40_000)]


@pytest.mark.parametrize(
    "change",
    [
        lambda packet: b"\x44" + packet[1:],  # header of 16 bytes
        lambda packet: b"\x4f" + packet[1:],  # header longer than the packet
        lambda packet: packet[:2] + b"\x00\x13" + packet[4:],  # total length below the header's
        lambda packet: packet[:19],
        lambda packet: packet[:27],  # cut in the UDP header
    ],
)
def test_short_and_contradictory_headers_are_counted_not_guessed(wire, change):
    found = read(wire, change(wire.ipv4("10.0.0.1", "10.0.0.2", 17, datagram(wire, 0))))
    assert (found.stats.short_frames, found.stats.ip_packets, found.flows.num_rows) == (1, 1, 0)


def test_fragments_are_counted_and_only_the_first_is_in_a_flow(wire):
    first = wire.ipv4("10.0.0.1", "10.0.0.2", 17, datagram(wire, 16, length=2_000), fragment=0x2000)
    later = [wire.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(24), fragment=place) for place in (0x2003, 0x0006)]
    found = read(wire, first, *later)
    assert (found.stats.fragments, found.stats.short_frames, found.stats.ip_packets) == (3, 0, 3)
    assert bytes_of(found) == [(16, 40_000)]
    assert found.flows["packets_up"].to_pylist() == [1]


def test_dont_fragment_is_no_fragment(wire):
    assert read(wire, wire.ipv4("10.0.0.1", "10.0.0.2", 17, datagram(wire), fragment=0x4000)).stats.fragments == 0


EXTENSIONS = {
    "hop-by-hop": (0, bytes([17, 0]) + bytes(6)),
    "routing": (43, bytes([17, 1]) + bytes(14)),
    "destination": (60, bytes([17, 2]) + bytes(22)),
    "authentication": (51, bytes([17, 4]) + bytes(22)),
    "atomic fragment": (44, bytes([17, 0]) + bytes(6)),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_extension_headers_are_skipped(wire, name):
    proto, head = EXTENSIONS[name]
    found = read(wire, wire.ipv6(A, B, proto, head + datagram(wire)))
    assert bytes_of(found) == [(10, 40_000)]
    assert found.stats.fragments == 0


def chained(wire, headers):
    chain = (bytes([60, 0]) + bytes(6)) * (headers - 1) + bytes([17, 0]) + bytes(6)
    return wire.ipv6(A, B, 60, chain + datagram(wire))


def test_many_extension_headers(wire):
    found = read(wire, chained(wire, MAX_EXTENSIONS))
    assert (bytes_of(found), found.stats.short_frames) == ([(10, 40_000)], 0)


@pytest.mark.parametrize("headers", [MAX_EXTENSIONS + 1, 8_000])
def test_more_extension_headers_than_anyone_sends_are_short(wire, headers):
    found = read(wire, chained(wire, headers), chained(wire, 2))
    assert (bytes_of(found), found.stats.short_frames, found.stats.ip_packets) == ([(10, 40_000)], 1, 2)


def test_the_work_for_one_chain_has_an_end(wire, monkeypatch):
    rounds = []
    gather = MappedFile.gather
    monkeypatch.setattr(MappedFile, "gather", lambda *given: rounds.append(1) or gather(*given))
    read(wire, chained(wire, 1))
    few = len(rounds)
    read(wire, chained(wire, 8_000))
    assert 0 < len(rounds) - 2 * few < MAX_EXTENSIONS


def test_fragments_of_ipv6(wire):
    first = wire.ipv6(A, B, 44, struct.pack(">BBHI", 17, 0, 1, 9) + datagram(wire))
    later = wire.ipv6(A, B, 44, struct.pack(">BBHI", 17, 0, 16, 9) + bytes(24))
    found = read(wire, first, later)
    assert found.stats.fragments == 2
    assert bytes_of(found) == [(10, 40_000)]


def test_cut_extension_header_is_short(wire):
    found = read(wire, wire.ipv6(A, B, 0, bytes([17, 9]) + bytes(6)))
    assert (found.stats.short_frames, found.flows.num_rows) == (1, 0)


def test_payload_length_0_is_a_jumbogram_or_offload(wire):
    packet = wire.ipv6(A, B, 17, datagram(wire, 100, length=0), length=0)
    assert bytes_of(read(wire, packet)) == [(100, 40_000)]


def test_addresses_with_equal_numbers_but_other_versions_stay_apart(wire):
    zero = wire.ipv4("0.0.0.0", "0.0.0.1", 17, datagram(wire))
    found = read(
        wire, zero, wire.ipv6(A, B, 17, datagram(wire)), wire.ipv6(bytes(16), bytes(15) + b"\x01", 17, datagram(wire))
    )
    assert found.flows["client"].to_pylist() == ["0.0.0.0", "2001:db8::1", "::"]
