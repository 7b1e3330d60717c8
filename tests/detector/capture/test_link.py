"""The IP header is found behind every link layer we name."""

import struct

import pytest

CLIENT_V6, SERVER_V6 = (
    bytes.fromhex("20010db8000000000000000000000001"),
    bytes.fromhex("20010db8000000000000000000000002"),
)
#: Computed from PCAPdroid's layout: Ethernet of zeros, IPv4/UDP "hello", padding, trailer of uid 10123.
PCAPDROID = bytes.fromhex(
    "00000000000000000000000008004500002100014000401100000a00020f0a0002029c400035000d000068656c6c6f"
    "00010720210000278b4d79204170700000000000000000000000000000d2930d53"
)


def one(wire, frame, link):
    packet = type(wire.tcp(0, 0, 0))(0, frame)
    return wire.read(wire.pcap([packet], link=link))


@pytest.mark.parametrize(
    ("link", "head"),
    [
        (0, struct.pack("<I", 2)),
        (0, struct.pack(">I", 2)),
        (108, struct.pack(">I", 2)),
        (101, b""),
        (228, b""),
        (113, bytes(14) + b"\x08\x00"),
        (276, b"\x08\x00" + bytes(18)),
        (1, bytes(12) + b"\x08\x00"),
        (1, b""),  # PCAPdroid drops the header when its trailer would not fit
        *((1, bytes(12) + b"\x81\x00\x00\x05" * tags + b"\x08\x00") for tags in (1, 2, 8)),
        (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x05" + b"\x08\x00"),
        (113, bytes(14) + b"\x81\x00\x00\x05\x08\x00"),
    ],
)
def test_ipv4_is_found(wire, link, head):
    packet = wire.ipv4("10.88.0.1", "198.18.0.9", 17, wire.udp_datagram(40_000, 9_000, b"hello"))
    read = one(wire, head + packet, link)
    (row,) = read.flows.to_pylist()
    assert (row["client"], row["server"], row["bytes_up"], row["proto"]) == ("10.88.0.1", "198.18.0.9", 5, "udp")
    assert read.stats.linktypes == (link,)
    assert read.stats.non_ip == 0


@pytest.mark.parametrize(
    ("link", "head"), [(1, bytes(12) + b"\x86\xdd"), (101, b""), (229, b""), (0, struct.pack("<I", 28)), (1, b"")]
)
def test_ipv6_is_found(wire, link, head):
    packet = wire.ipv6(CLIENT_V6, SERVER_V6, 17, wire.udp_datagram(40_000, 9_000, b"hello"))
    (row,) = one(wire, head + packet, link).flows.to_pylist()
    assert (row["client"], row["server"], row["bytes_up"]) == ("2001:db8::1", "2001:db8::2", 5)


def test_pcapdroid_trailer_is_no_payload(wire):
    (row,) = one(wire, PCAPDROID, 1).flows.to_pylist()
    assert (row["client"], row["server_port"], row["bytes_up"]) == ("10.0.2.15", 53, 5)


@pytest.mark.parametrize(
    "frame",
    [
        bytes(12) + b"\x08\x06" + bytes(28),  # ARP
        bytes(12) + b"\x81\x00\x00\x05" * 9 + b"\x08\x00" + bytes(40),
        bytes(12) + b"\x08\x00",  # nothing behind the header
        bytes(12) + b"\x81\x00",  # cut in the tag
        b"",
        b"\x45",
    ],
)
def test_what_carries_no_ip_is_counted(wire, frame):
    stats = one(wire, frame, 1).stats
    assert (stats.packets, stats.non_ip, stats.ip_packets) == (1, 1, 0)


def test_interfaces_of_one_file_may_have_different_links(wire):
    packet = wire.ipv4("10.88.0.1", "198.18.0.9", 17, wire.udp_datagram(40_000, 9_000, b"hello"))
    kind = type(wire.tcp(0, 0, 0))
    data = wire.section() + wire.interface(link=1) + wire.interface(link=101) + wire.interface(link=276)
    frames = [wire.ether(packet), packet, b"\x08\x00" + bytes(18) + packet]
    data += b"".join(wire.enhanced(kind(0, frame), interface=number) for number, frame in enumerate(frames))
    read = wire.read(data)
    assert read.stats.linktypes == (1, 101, 276)
    assert [row["packets_up"] for row in read.flows.to_pylist()] == [3]
