import dnslib
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.mdns import messages


@given(st.integers(1, 2_000), st.integers(1, 2_000), st.sampled_from(["_googlecast._tcp.local", "_ipp._tcp.local"]))
def test_questions_and_answers_of_one_service(dialogue, up, down, service):
    rows = [(0, up, 0, 0), (10, 0, down, 0)]
    asked, answered = messages(dialogue(rows, host="10.88.9.9", service=service))
    question, answer = dnslib.DNSRecord.parse(asked.data), dnslib.DNSRecord.parse(answered.data)
    assert (question.header.id, answer.header.id) == (0, 0)
    assert (question.header.qr, answer.header.qr, answer.header.aa) == (0, 1, 1)
    assert question.questions[0] == answer.q
    assert str(answer.q.qname) == f"{service}."
    kinds = {dnslib.QTYPE[record.rtype]: record for record in (*answer.rr, *answer.ar)}
    assert set(kinds) == {"PTR", "SRV", "TXT", "A"}
    assert str(kinds["A"].rdata) == "10.88.9.9"
    assert kinds["SRV"].rname == kinds["TXT"].rname == kinds["PTR"].rdata.label
    assert all(record.ttl <= 10 for record in kinds.values())
    assert len(answered.data) <= 1_400
    if 300 < down <= 1_400:
        assert abs(len(answered.data) - down) <= 3
    assert answered.pushed


def test_a_longer_question_asks_for_more_services(dialogue):
    short, long = messages(dialogue([(0, 20, 0, 0), (1, 400, 0, 0)]))
    assert len(dnslib.DNSRecord.parse(short.data).questions) == 1
    assert len(dnslib.DNSRecord.parse(long.data).questions) == 5
