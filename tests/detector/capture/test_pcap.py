"""Every dialect of pcap tells the same."""

import struct

import pytest


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_dialects_agree(wire, order, nano):
    packets = wire.talk()
    plain = wire.read(wire.pcap(packets))
    other = wire.read(wire.pcap(packets, order=order, nano=nano))
    assert other.flows.equals(plain.flows)
    assert other.exchanges.equals(plain.exchanges)
    assert other.stats == plain.stats
    assert plain.stats.form == "pcap"


def test_nanoseconds_are_cut_to_microseconds(wire):
    data = bytearray(wire.pcap([wire.udp(0, b"x")], nano=True))
    struct.pack_into("<I", data, 28, 123_456_999)
    assert wire.read(bytes(data)).stats.first == 1_772_409_600_123_456


def test_years_up_to_2106(wire):
    data = bytearray(wire.pcap([wire.udp(0, b"x"), wire.udp(1, b"y")]))
    struct.pack_into("<I", data, 24, 0)
    struct.pack_into("<I", data, len(data) - 16 - 14 - 29, 0xFFFF_FFFF)
    stats = wire.read(bytes(data)).stats
    assert stats.first == 0
    assert stats.last == 0xFFFF_FFFF * 1_000_000 + 1


def test_bits_about_check_sequences_are_no_link_type(wire):
    data = bytearray(wire.pcap([wire.udp(0, b"x")]))
    struct.pack_into("<I", data, 20, 0x4400_0001)
    assert wire.read(bytes(data)).stats.linktypes == (1,)
