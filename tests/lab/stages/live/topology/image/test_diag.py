"""Destroyed and listening sockets on crafted bytes, one of them as Linux 6.18 sent it."""

from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology.image.diag import Gone, listeners_request, parse_gone, parse_heard
from lab.stages.live.topology.image.netlink import attribute, messages

# a connected UDP socket from 172.17.0.2:38087 to 198.18.0.1:5353, closed (captured)
UDP = bytes.fromhex(
    "0201000094c714e9ac110002000000000000000000000000c6120001000000000000000000000000"
    "000000000a000000000000000000000000000000ffffffff000000000000000005000a0011000000"
)


def destroyed(family=2, local=b"\x0a\x58\x01\x02", peer=b"\xc6\x12\x05\x05", ports=(40000, 443), info=b"", uid=0):
    ends = struct.pack(">HH", *ports) + local.ljust(16, b"\0") + peer.ljust(16, b"\0")
    head = bytes([family, 7, 0, 0]) + ends + bytes(12) + struct.pack("=IIIII", 0, 0, 0, uid, 0)
    return head + (attribute(2, info) if info else b"")


def tcp_info(received=0, sent=0, again=0, size=248):
    info = bytearray(size)
    struct.pack_into("=Q", info, 128, received)
    if size >= 216:
        struct.pack_into("=QQ", info, 200, sent, again)
    return bytes(info)


def test_a_udp_socket_as_the_kernel_sent_it():
    assert parse_gone(UDP) == Gone("udp", ("172.17.0.2", 38087), ("198.18.0.1", 5353), None, None)


def test_a_tcp_socket_counts_its_bytes_once():
    found = parse_gone(destroyed(info=tcp_info(received=5001, sent=1700, again=700)))
    assert found == Gone("tcp", ("10.88.1.2", 40000), ("198.18.5.5", 443), 1000, 5001)


def test_an_older_kernel_s_short_tcp_info_is_not_counted():
    found = parse_gone(destroyed(info=tcp_info(received=9, size=192)))
    assert (found.sent, found.received) == (None, None)


def test_ipv4_in_an_ipv6_socket_is_ipv4():
    mapped = bytes(10) + b"\xff\xff"
    found = parse_gone(destroyed(socket.AF_INET6, mapped + b"\x0a\x58\x01\x02", mapped + b"\xc6\x12\x05\x05"))
    assert (found.local[0], found.peer[0]) == ("10.88.1.2", "198.18.5.5")
    assert parse_gone(destroyed(socket.AF_INET6, bytes(16), b"\x20\x01" + bytes(13) + b"\1")).peer[0] == "2001::1"


def test_a_listener_of_both_families_is_everywhere():
    for family in (socket.AF_INET, socket.AF_INET6):
        heard = parse_heard(destroyed(family, bytes(16), bytes(16), (8080, 0), uid=10200), "tcp")
        assert (heard.local, heard.uid) == (("0.0.0.0", 8080), 10200)


def test_requests_ask_for_those_who_wait_only():
    ((tcp,), (udp,)) = (list(messages(listeners_request(2, proto))) for proto in ("tcp", "udp"))
    assert (tcp.body[:2], struct.unpack_from("=I", tcp.body, 4)[0], len(tcp.body)) == (b"\x02\x06", 1 << 10, 56)
    assert (udp.body[:2], struct.unpack_from("=I", udp.body, 4)[0]) == (b"\x02\x11", 1 << 7)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    for one in (data, UDP[:71] + data, destroyed() + data):
        parse_gone(one)
        parse_heard(one, "tcp")


def test_what_is_cut_is_none():
    assert parse_gone(UDP[:71]) is None
    assert parse_heard(UDP[:71], "udp") is None
