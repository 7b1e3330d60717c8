import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.dns_tcp import messages


def read(messages_of_one_side):
    """The DNS messages in a stream, each behind its length."""
    stream, found = b"".join(messages_of_one_side), []
    while stream:
        size = int.from_bytes(stream[:2], "big")
        found.append(dnslib.DNSRecord.parse(stream[2 : 2 + size]))
        stream = stream[2 + size :]
    return found


@given(
    st.sampled_from(["A", "AAAA", "TXT", "NULL", "HTTPS"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 70_000)), min_size=1, max_size=4),
)
def test_questions_and_answers_share_one_connection(dialogue, qtype, pairs):
    said = list(messages(dialogue([(i, up, down, 5) for i, (up, down) in enumerate(pairs)], qtype=qtype)))
    asked, answered = (read(m.data for m in said if m.from_client == side) for side in (True, False))
    assert len(asked) == len(answered) == len(pairs)
    assert [a.header.id for a in asked] == [a.header.id for a in answered]
    assert [a.q for a in asked] == [a.q for a in answered]


@given(st.integers(70, 280), st.integers(400, 60_000), st.sampled_from(["TXT", "NULL"]))
def test_sizes_include_the_length_and_pass_what_a_datagram_holds(dialogue, up, down, qtype):
    said = [len(m.data) for m in messages(dialogue([(0, up, down, 5)], qtype=qtype))]
    assert said == [up, down]


def test_a_zone_is_asked_about_instead_of_the_host(dialogue):
    for up in (0, 90):
        asked, _ = messages(dialogue([(0, up, 200, 5)], host="dns.vendor.example", zone="hidden.example"))
        assert str(dnslib.DNSRecord.parse(asked.data[2:]).q.qname).endswith("hidden.example.")


@pytest.mark.parametrize(("alpn", "records"), [("", 0), ("h2,h3", 1)])
def test_https_records_say_what_is_spoken(dialogue, alpn, records):
    _, answered = messages(dialogue([(0, 0, 0, 5)], qtype="HTTPS", alpn=alpn))
    found = dnslib.DNSRecord.parse(answered.data[2:])
    assert len(found.rr) == records
    assert (not records) or "alpn=h2,h3" in str(found.rr[0].rdata)
