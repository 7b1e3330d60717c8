"""Logged packets on crafted bytes: which connection, whose, how much."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology.image.logged import FIN, SYN, bind, parse
from lab.stages.live.topology.image.netlink import attribute, attributes, messages

HEAD = struct.pack("=BBH", 2, 0, 0)


def ip(proto, transport, source="10.88.1.2", target="198.18.5.5", options=b"", fragment=0, total=None):
    length = 20 + len(options) + len(transport) if total is None else total
    first = 0x40 | (20 + len(options)) // 4
    head = struct.pack(">BBHHHBBH", first, 0, length, 1, fragment, 64, proto, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(target) + options + transport


def tcp(flags, sequence=7, options=b"", payload=b""):
    offset = (20 + len(options)) // 4 << 4
    return struct.pack(">HHIIBBHHH", 40000, 443, sequence, 0, offset, flags, 1, 0, 0) + options + payload


def message(packet, prefix=b"out\0", uid=10123, number=3):
    body = HEAD + attribute(10, prefix) + attribute(9, packet) + attribute(12, struct.pack(">I", number))
    return body + (attribute(11, struct.pack(">I", uid)) if uid is not None else b"")


def test_a_syn_out_has_an_owner_and_its_sequence():
    found = parse(message(ip(6, tcp(SYN, 0xFFFFFFFF, bytes(8)))))
    assert (found.inward, found.uid, found.sequence, found.proto) == (False, 10123, 3, "tcp")
    assert (found.source, found.target) == (("10.88.1.2", 40000), ("198.18.5.5", 443))
    assert (found.flags, found.tcp_sequence, found.payload) == (SYN, 0xFFFFFFFF, 0)


def test_a_fin_in_with_data_has_none_and_counts_what_was_cut_away():
    found = parse(
        message(ip(6, tcp(FIN, 9, bytes(12), b"x" * 5), options=bytes(4), total=24 + 32 + 1000), b"in\0", None)
    )
    assert (found.inward, found.uid, found.flags, found.payload) == (True, None, FIN, 1000)


def test_a_datagram():
    found = parse(message(ip(17, struct.pack(">HHHH", 5000, 53, 8 + 3, 0) + b"abc")))
    assert (found.proto, found.source[1], found.target[1], found.payload, found.tcp_sequence) == ("udp", 5000, 53, 3, 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ip(1, bytes(8)),
        ip(6, tcp(SYN))[:30],
        ip(17, bytes(7)),
        ip(6, tcp(SYN), fragment=1),
        b"\x60" + bytes(60),
        b"\x41" + ip(6, tcp(SYN))[1:],
    ],
)
def test_what_is_no_connection_s_packet_is_none(packet):
    assert parse(message(packet)) is None


@given(st.binary(max_size=120))
def test_no_bytes_break_it(data):
    parse(data)
    parse(message(data))


def test_binding_asks_for_every_packet_at_once_and_numbered():
    requests = [one for request in bind(5) for one in messages(request)]
    assert {one.kind for one in requests} == {0x401}
    assert {one.body[2:4] for one in requests} == {b"\0\x05"}
    settings = {kind: value for one in requests for kind, value in attributes(one.body[4:]).items()}
    assert settings[1] == b"\x01"
    assert settings[5] == struct.pack(">I", 1)
    assert settings[6] == struct.pack(">H", 1)
