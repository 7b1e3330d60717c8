"""What is tried, and what counts as having got out."""

from __future__ import annotations

import pytest
from dnslib import RR, A, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.topology.escapes import Escape, Member, answers, dns_question, escapes, got_out, privileges

LAB = [
    Member("gateway", "gateway", "10.77.9.2", "02:42:00:00:00:02", 900),
    Member("servers", "servers", "10.77.9.3", "02:42:00:00:00:03", 10200),
    Member("strangers", "strangers", "10.77.9.4", "02:42:00:00:00:04", 10200),
    Member("handset-01", "handset", "10.77.9.10", "02:42:00:00:00:0a", 10123),
    Member("handset-02", "handset", "10.77.9.11", "02:42:00:00:00:0b", 10123),
]
HOSTS = [("10.77.9.1", 4001, "this machine"), ("172.17.0.1", 4002, "default bridge"), ("10.77.9.250", 9999, "canary")]
REPLY = {"connected": True, "said": "", "saw": "connected"}


def tried(member):
    return escapes(member, LAB, HOSTS, dns_question("x1.example"))


@pytest.mark.parametrize("member", LAB, ids=lambda member: member.name)
def test_every_container_tries_every_way_out(member):
    found = {(one.how, one.host, one.port) for one in tried(member)}
    ways = {
        ("tcp", "198.51.100.7", 9999),
        ("tcp", "198.51.100.7", 443),
        ("udp", "198.51.100.7", 9999),
        ("tcp", "2001:db8::7", 443),
        ("udp", "198.51.100.53", 53),
        ("udp", "127.0.0.11", 53),
        ("tcp", "169.254.169.254", 80),
        ("udp", "255.255.255.255", 9999),
        ("udp", "10.77.9.255", 9999),
        *((how, host, port) for host, port, _ in HOSTS for how in ("tcp", "udp")),
    }
    others = {("tcp", one.address, 5555 if one.role == "handset" else 9000) for one in LAB if one != member}
    assert ways | others <= found
    assert ("tcp", "10.88.0.1", 8888) in found or member.role != "handset"
    assert {one.how for one in privileges("10.77.9.250")} == {"raw", "packet", "route"}


def test_only_for_a_phone_s_web_a_connection_alone_is_not_enough():
    for member in LAB:
        counts = {one.what: one.counts for one in tried(member)}
        assert counts["outside address, web"] == ("token" if member.role == "handset" else "connect")
        assert counts["outside address"] == "connect"


def test_a_connection_counts_where_it_is_enough():
    assert got_out(Escape("x", "tcp", "h", 1, "connect"), REPLY, "t0k3n")
    assert not got_out(Escape("x", "tcp", "h", 1, "connect"), {**REPLY, "connected": False}, "t0k3n")


def test_only_the_token_counts_where_a_proxy_may_answer():
    escape = Escape("x", "tcp", "h", 443, "token")
    assert not got_out(escape, {**REPLY, "said": "HTTP/1.1 502 Bad Gateway"}, "t0k3n")
    assert got_out(escape, {**REPLY, "said": "t0k3n"}, "t0k3n")


def test_a_dns_answer_counts_and_a_refusal_does_not():
    question = DNSRecord.parse(dns_question("x1.containment.example").encode("latin-1"))
    assert str(question.q.qname) == "x1.containment.example."
    escape = Escape("x", "udp", "h", 53, "answer")
    good = question.reply()
    good.add_answer(RR("x1.containment.example", rdata=A("198.18.0.1")))
    refused = question.reply()
    refused.header.rcode = 5
    empty = question.reply()
    said = [{**REPLY, "said": bytes(message.pack()).decode("latin-1")} for message in (good, refused, empty)]
    assert [got_out(escape, one, "") for one in said] == [True, False, False]


@given(st.binary(max_size=64))
def test_no_message_breaks_the_count_of_answers(data):
    assert answers(data) >= 0


def test_targets_are_told():
    assert Escape("x", "tcp", "10.0.0.1", 5, "connect").target == "10.0.0.1:5/tcp"
    assert [one.target for one in privileges("10.77.9.250")] == ["a raw socket", "a packet socket", "10.77.9.250"]
