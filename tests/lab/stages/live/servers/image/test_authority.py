"""Names are answered with the script's messages, in turn; what is not known is refused, what is no question ignored."""

from __future__ import annotations

import dnslib
import pytest

from lab.stages.live.servers.image.authority import Authority
from lab.stages.live.servers.image.ledger import Ledger

# its id is given: a drawn one would name the test differently in every process that collects it
AN_ANSWER = bytes(dnslib.DNSRecord(dnslib.DNSHeader(id=1), q=dnslib.DNSQuestion("a")).reply().pack())


@pytest.fixture
def authority(plans, plan_of):
    address = ("198.18.0.53", 53)
    plan = plan_of(
        plans.Talk(0, "dns", address, ((0, 0, 0, 12_000),), name="www.a.example", options={"answer": "198.18.0.1"}),
        plans.Talk(1, "dns", address, ((0, 0, 0, 15_000),), name="www.a.example", options={"answer": "198.18.0.2"}),
    )
    return Authority(plan.zone, Ledger())


def asked(authority, name, qtype="A"):
    question = dnslib.DNSRecord.question(name, qtype)
    answer = authority.answer(bytes(question.pack()))
    record = dnslib.DNSRecord.parse(answer.data)
    assert record.header.id == question.header.id
    return record, answer.delay_us


def test_in_turn_and_the_last_for_ever(authority, plans):
    found = [asked(authority, "WWW.a.Example") for _ in range(3)]
    assert [str(record.rr[0].rdata) for record, _ in found] == ["198.18.0.1", "198.18.0.2", "198.18.0.2"]
    assert [delay for _, delay in found] == [12_000 + plans.RTT_US, 15_000 + plans.RTT_US, 15_000 + plans.RTT_US]
    assert authority._ledger.entry(0).sent > 0
    assert authority._ledger.entry(1).received == 2 * authority._ledger.entry(0).received


@pytest.mark.parametrize(("name", "qtype"), [("b.example", "A"), ("www.a.example", "TXT")])
def test_the_unknown_is_refused(authority, name, qtype):
    record, delay = asked(authority, name, qtype)
    assert record.header.rcode == dnslib.RCODE.REFUSED
    assert delay == 0


@pytest.mark.parametrize("data", [b"", b"\0" * 12, b"\xff" * 40, AN_ANSWER])
def test_what_is_no_question_is_not_answered(authority, data):
    assert authority.answer(data) is None
    assert authority._ledger.strays["dns: no question"] == 1
