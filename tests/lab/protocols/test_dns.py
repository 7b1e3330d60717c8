import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.dns import messages

HOSTS = st.from_regex(r"([a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?\.){1,3}example", fullmatch=True).filter(
    lambda h: len(h) <= 200
)
QTYPES = st.sampled_from(["A", "AAAA", "TXT", "NULL", "HTTPS"])


@given(HOSTS, QTYPES, st.integers(0, 600), st.integers(0, 3_000))
def test_dnslib_reads_questions_and_answers(dialogue, host, qtype, up, down):
    asked, answered = (
        dnslib.DNSRecord.parse(m.data) for m in messages(dialogue([(0, up, down, 9)], host=host, qtype=qtype))
    )
    assert asked.q == answered.q
    assert asked.header.id == answered.header.id
    assert dnslib.QTYPE[asked.q.qtype] == qtype
    assert (asked.header.qr, answered.header.qr) == (0, 1)
    name = str(asked.q.qname).rstrip(".")
    assert len(name) <= 253
    assert all(1 <= len(label) <= 63 for label in name.split("."))
    assert name == host if not up else name.endswith("." + ".".join(host.split(".")[-2:]))
    assert all(str(record.rname).rstrip(".") == name for record in answered.rr)


@given(st.integers(60, 282), st.integers(320, 1232), st.sampled_from(["TXT", "NULL"]))
def test_tunnel_sizes_are_as_asked(dialogue, up, down, qtype):
    asked, answered = messages(dialogue([(0, up, down, 9)], host="t.vendor.example", qtype=qtype))
    assert (len(asked.data), len(answered.data)) == (up, down)


def test_sizes_beyond_the_standards_are_cut(dialogue):
    asked, answered = messages(dialogue([(0, 5_000, 50_000, 9)], host="t.vendor.example", qtype="TXT"))
    assert len(asked.data) == 12 + 255 + 4 + 11
    assert len(answered.data) == 1232


def test_no_two_questions_of_a_tunnel_are_alike(dialogue):
    said = list(messages(dialogue([(i, 60, 200, 9) for i in range(500)], qtype="TXT")))
    names = {str(dnslib.DNSRecord.parse(m.data).q.qname) for m in said if m.from_client}
    assert len(names) == 500


def test_the_answer_option_is_what_the_name_resolves_to(dialogue):
    for answer, qtype in (("198.18.7.9", "A"), ("2001:db8::9", "AAAA")):
        _, answered = messages(dialogue([(0, 0, 0, 9)], qtype=qtype, answer=answer))
        assert [str(record.rdata) for record in dnslib.DNSRecord.parse(answered.data).rr] == [answer]


@pytest.mark.parametrize(("options", "ttl"), [({}, 300), ({"ttl": "3600"}, 3600), ({"ttl": "20"}, 20)])
def test_an_answer_may_be_kept_as_long_as_the_option_says(dialogue, options, ttl):
    for more in ({"qtype": "A", "answer": "198.18.7.9"}, {"qtype": "TXT"}):
        _, answered = messages(dialogue([(0, 0, 300, 9)], **more, **options))
        assert [record.ttl for record in dnslib.DNSRecord.parse(answered.data).rr] == [ttl]


def test_a_name_without_such_an_address_has_an_soa_and_a_missing_name_nxdomain(dialogue):
    _, no_data = messages(dialogue([(0, 0, 0, 9)], qtype="AAAA", answer="198.18.7.9"))
    _, missing = messages(dialogue([(0, 90, 0, 9)], qtype="A"))
    for message, rcode in ((no_data, 0), (missing, 3)):
        read = dnslib.DNSRecord.parse(message.data)
        assert (read.header.rcode, read.rr, len(read.auth)) == (rcode, [], 1)


def test_an_unknown_type_is_refused_with_the_known_ones(dialogue):
    with pytest.raises((ValueError, dnslib.DNSError)):
        list(messages(dialogue([(0, 0, 0, 9)], qtype="BOGUS")))
