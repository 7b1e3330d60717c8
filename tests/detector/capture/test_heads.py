"""The first bytes of a flow, put together from segments in any order, up to the first hole."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SYN, SYN_ACK, ACK, PSH = 0x02, 0x12, 0x10, 0x18
HEAD = b"GET /index.html HTTP/1.1\r\nHost: split.example\r\nUser-Agent: test/1\r\n\r\n"


def hello(name):
    """A TLS ClientHello with nothing but a server name (RFC 8446, RFC 6066)."""
    host = name.encode()
    sni = b"\0\0" + (len(host) + 5).to_bytes(2, "big") + (len(host) + 3).to_bytes(2, "big") + b"\0"
    sni += len(host).to_bytes(2, "big") + host
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + len(sni).to_bytes(2, "big") + sni
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def split(wire, payload, cuts):
    borders = sorted({0, len(payload), *(cut % len(payload) for cut in cuts)})
    return [wire.tcp(10 + begin, 101 + begin, PSH, payload[begin:end]) for begin, end in pairwise(borders)]


def opened(wire, segments):
    return [wire.tcp(0, 100, SYN), wire.tcp(1, 900, SYN_ACK, down=True), *segments]


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(1, 90), max_size=5), seed=st.randoms(use_true_random=False))
@pytest.mark.parametrize("payload", [HEAD, hello("split.example")], ids=["http", "tls"])
def test_split_and_disordered_heads_are_read(wire, payload, cuts, seed):
    segments = split(wire, payload, cuts)
    seed.shuffle(segments)
    retimed = [type(one)(10 + at, one.frame) for at, one in enumerate(segments)]
    (row,) = wire.flows(opened(wire, retimed))
    assert (row["name"], row["sni"] or row["host"]) == ("split.example", "split.example")
    assert row["name_from"] == ("sni" if payload is not HEAD else "host")


def test_nothing_is_read_past_a_hole(wire):
    segments = split(wire, HEAD, [20, 30])
    assert wire.flows(opened(wire, segments))[0]["host"] == "split.example"
    (row,) = wire.flows(opened(wire, [segments[0], segments[2]]))
    assert row["host"] is None


def test_nothing_is_read_past_a_packet_the_snap_length_cut(wire):
    first, second = split(wire, HEAD, [40])
    cut = type(first)(first.at_us, first.frame[:-6], len(first.frame))
    (row,) = wire.flows(opened(wire, [cut, second]))
    assert row["host"] is None
    assert row["bytes_up"] == len(HEAD)


def test_no_more_than_eight_segments_are_joined(wire):
    (row,) = wire.flows(opened(wire, split(wire, HEAD, range(3, 8))))
    assert row["host"] == "split.example"
    (row,) = wire.flows(opened(wire, split(wire, HEAD, range(3, 40, 3))))
    assert row["host"] is None


def test_overlapping_segments_are_trimmed(wire):
    segments = [
        wire.tcp(10, 101, PSH, HEAD[:30]),
        wire.tcp(11, 111, PSH, HEAD[10:50]),
        wire.tcp(12, 121, PSH, HEAD[20:]),
    ]
    assert wire.flows(opened(wire, segments))[0]["host"] == "split.example"


def test_what_the_server_says_is_read_where_the_client_tells_nothing(wire):
    request = b"CONNECT mail.example:25 HTTP/1.1\r\nHost: mail.example:25\r\n\r\n"
    packets = [wire.tcp(10, 101, PSH, request), wire.tcp(20, 901, PSH, b"HTTP/1.1 200 OK\r\n\r\n", down=True)]
    (row,) = wire.flows(opened(wire, packets))
    assert (row["proxy"], row["proxy_target"], row["proxy_granted"]) == ("connect", "mail.example:25", True)
    assert row["name"] is None, "the target of a CONNECT is not the name of the proxy"


def test_flows_without_payload_have_no_names(wire):
    (row,) = wire.flows(opened(wire, []))
    assert row["app_proto"] is None
