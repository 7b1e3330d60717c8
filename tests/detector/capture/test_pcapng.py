"""Sections, interfaces and blocks of every kind; the packets are those of the same capture as pcap."""

import struct

import pytest


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_tells_what_pcap_tells(wire, order):
    packets = wire.talk()
    plain, other = wire.read(wire.pcap(packets)), wire.read(wire.pcapng(packets, order))
    assert other.flows.equals(plain.flows)
    assert other.exchanges.equals(plain.exchanges)
    assert other.stats.form == "pcapng"


def test_sections_of_both_byte_orders_in_one_file(wire):
    packets = wire.talk()
    parts = [
        wire.pcapng(packets[:2]),
        wire.pcapng(packets[2:5], ">"),
        wire.pcapng(packets[5:6], ">"),
        wire.pcapng(packets[6:]),
    ]
    found = wire.read(b"".join(parts))
    assert found.stats.packets == len(packets)
    assert found.flows.equals(wire.read(wire.pcap(packets)).flows)


def test_blocks_without_packets_are_skipped(wire):
    packets = wire.talk()
    others = [wire.block(kind, bytes(20)) for kind in (4, 5, 10, 0xBAD, 0x4000_0BAD, 0x8000_0001)]
    data = wire.section() + wire.interface()
    for packet in packets:
        data += others.pop() if others else b""
        data += wire.enhanced(packet)
    assert wire.read(data).flows.equals(wire.read(wire.pcap(packets)).flows)


@pytest.mark.parametrize("order", ["<", ">"])
def test_obsolete_packet_block(wire, order):
    packet = wire.udp(0, b"hello")
    when = 1_772_409_600_000_000
    size = len(packet.frame)
    head = struct.pack(order + "HHIIII", 1, 9, when >> 32, when & 0xFFFF_FFFF, size, size)
    data = (
        wire.section(order)
        + wire.interface(order, link=101)
        + wire.interface(order)
        + wire.block(2, head + packet.frame, order)
    )
    found = wire.read(data)
    assert (found.stats.first, found.flows["bytes_up"].to_pylist()) == (when, [5])


def test_simple_packet_block_takes_the_time_before_it(wire):
    first, second = wire.udp(700, b"hello"), wire.udp(0, b"again", port=41_000)
    simple = wire.block(3, struct.pack("<I", len(second.frame)) + second.frame)
    found = wire.read(wire.section() + wire.interface() + wire.enhanced(first) + simple)
    assert found.flows["bytes_up"].to_pylist() == [5, 5]
    assert found.stats.last == found.stats.first == 1_772_409_600_000_700
    assert wire.read(wire.section() + wire.interface() + simple).stats.first == 0


def test_simple_packet_block_is_cut_by_the_snap_length(wire):
    packet = wire.udp(0, bytes(100))
    block = wire.block(3, struct.pack("<I", len(packet.frame)) + packet.frame[:60])
    found = wire.read(wire.section() + wire.interface(snaplen=60) + block)
    assert found.flows["bytes_up"].to_pylist() == [100]


def test_interfaces_are_counted_anew_in_each_section(wire):
    packet = wire.udp(0, b"hello")
    first = wire.section() + wire.interface(link=101) + wire.interface()
    second = wire.section() + wire.interface()
    found = wire.read(first + wire.enhanced(packet, interface=1) + second + wire.enhanced(packet, interface=0))
    assert found.flows["packets_up"].to_pylist() == [2]


def test_an_interface_described_later_may_be_used_later(wire):
    packet = wire.udp(0, b"hello")
    data = (
        wire.section()
        + wire.interface()
        + wire.enhanced(packet)
        + wire.interface()
        + wire.enhanced(packet, interface=1)
    )
    assert wire.read(data).stats.packets == 2
