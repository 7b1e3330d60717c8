"""DNS messages against dnslib, and against hostile pointers."""

import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names import identify
from detector.capture.names.dns import MAX_ANSWERS, looks_like_dns, parse_dns, split_tcp

QUERY = bytes(dnslib.DNSRecord.question("WWW.Shop.Example", "AAAA").pack())


def answer(*zone: str, kind: str = "A") -> bytes:
    record = dnslib.DNSRecord.question("www.shop.example", kind).reply()
    for line in zone:
        record.add_answer(*dnslib.RR.fromZone(line))
    return bytes(record.pack())


def test_query() -> None:
    found = parse_dns(QUERY)
    assert found is not None
    assert (found.response, found.qname, found.qtype, found.answers) == (False, "www.shop.example", "AAAA", ())


def test_answers_as_text() -> None:
    found = parse_dns(
        answer(
            "www.shop.example 60 CNAME Edge.Shop.example",
            "edge.shop.example 60 A 198.18.0.7",
            "edge.shop.example 60 AAAA 2001:db8::7",
            "www.shop.example 60 MX 10 mail.shop.example",
            'www.shop.example 60 TXT "one" "two"',
        )
    )
    assert found is not None
    assert found.response
    assert found.rcode == 0
    assert found.answers == ("edge.shop.example", "198.18.0.7", "2001:db8::7", "mail.shop.example", "onetwo")


@pytest.mark.parametrize(
    ("number", "name"), [(65, "HTTPS"), (64, "SVCB"), (10, "NULL"), (16, "TXT"), (4711, "TYPE4711")]
)
def test_query_types(number: int, name: str) -> None:
    found = parse_dns(QUERY[:-4] + number.to_bytes(2, "big") + b"\0\1")
    assert found is not None
    assert found.qtype == name


def test_https_answer_gives_its_target() -> None:
    head = bytearray(QUERY[:12])
    head[2:8] = b"\x81\x80\0\1\0\1"
    body = b"\xc0\x0c\0\x41\0\1\0\0\0\x3c\0\x0f\0\1\3cdn\7example\0"
    found = parse_dns(bytes(head) + QUERY[12:] + body)
    assert found is not None
    assert found.answers == ("cdn.example",)


def test_bytes_that_do_not_print_are_escaped() -> None:
    found = parse_dns(QUERY[:12] + b"\x03a.\xff\0\0\x0a\0\1")
    assert found is not None
    assert found.qname == r"a\046\255"


@pytest.mark.parametrize("name", [b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xc1\xff", b"\x40a", b"\x3fabc"])
def test_pointer_loops_and_damaged_names_give_none(name: bytes) -> None:
    assert parse_dns(QUERY[:12] + name + b"\0\1\0\1") is None


def test_name_longer_than_rfc_1035_allows_gives_none() -> None:
    assert parse_dns(QUERY[:12] + (b"\x3f" + b"a" * 63) * 5 + b"\0\0\1\0\1") is None


def test_answers_are_bounded_and_cut_answers_kept() -> None:
    many = parse_dns(answer(*(f"www.shop.example 60 A 198.18.1.{i}" for i in range(100))))
    assert many is not None
    assert len(many.answers) == MAX_ANSWERS
    cut = parse_dns(answer("www.shop.example 60 A 198.18.0.7", "www.shop.example 60 A 198.18.0.8")[:-2])
    assert cut is not None
    assert cut.answers == ("198.18.0.7",)


def test_tcp_messages_behind_their_length() -> None:
    stream = len(QUERY).to_bytes(2, "big") + QUERY
    assert split_tcp(stream + stream + stream[:20]) == [QUERY, QUERY]
    assert split_tcp(b"\xff\xff" + bytes(100)) == []
    assert identify("tcp", 50_000, 53, stream, b"").app_proto == "dns"


def test_other_ports_need_both_directions() -> None:
    reply = bytes(dnslib.DNSRecord.parse(QUERY).reply().pack())
    assert identify("udp", 50_000, 5300, QUERY, reply).app_proto == "dns"
    assert identify("udp", 50_000, 5300, QUERY, b"").app_proto is None
    assert identify("udp", 50_000, 5300, QUERY, b"\0\0" + reply[2:]).app_proto is None


@given(st.binary(max_size=120), st.integers(0, 80))
def test_hostile_messages_never_raise(noise: bytes, cut: int) -> None:
    whole = answer("www.shop.example 60 CNAME edge.shop.example", "edge.shop.example 60 A 198.18.0.7")
    for payload in (noise, whole[:cut] + noise, whole[:12] + noise, whole[:cut]):
        found = parse_dns(payload)
        assert found is None or len(found.answers) <= MAX_ANSWERS
        assert looks_like_dns(payload) in (True, False)
        assert len(split_tcp(payload)) < 20
