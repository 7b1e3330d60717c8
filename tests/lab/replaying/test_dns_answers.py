from dnslib import AAAA, CNAME, QTYPE, RR, A, DNSQuestion, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from lab.replaying.dns_answers import addresses_in


def answer():
    made = DNSRecord(q=DNSQuestion("a.garden.example"))
    made.add_answer(RR("a.garden.example", QTYPE.CNAME, rdata=CNAME("b.garden.example")))
    made.add_answer(RR("b.garden.example", QTYPE.A, rdata=A("198.18.7.9")))
    made.add_answer(RR("b.garden.example", QTYPE.AAAA, rdata=AAAA("2001:db8::9")))
    made.add_ar(RR("ns.garden.example", QTYPE.A, rdata=A("198.18.7.10")))
    return bytes(made.pack())


def test_every_address_of_an_answer_is_found():
    message = answer()
    found = [message[place : place + size] for place, size in addresses_in(message)]
    assert found == [bytes([198, 18, 7, 9]), bytes.fromhex("20010db8" + "0" * 23 + "9"), bytes([198, 18, 7, 10])]


def test_the_hints_of_an_https_record_are_addresses_too():
    params = bytes.fromhex("0001 0003 026832 0004 0008 c6120709 c612070a 0006 0010") + bytes(15) + b"\x09"
    record = b"\x00" + (65).to_bytes(2, "big") + b"\x00\x01" + bytes(4)
    rdata = b"\x00\x01\x00" + params
    message = bytes.fromhex("0000 8000 0000 0001 0000 0000") + record + len(rdata).to_bytes(2, "big") + rdata
    assert [size for _, size in addresses_in(message)] == [4, 4, 16]
    assert message[next(addresses_in(message))[0] :][:4] == bytes([198, 18, 7, 9])


def test_a_question_has_no_address():
    assert list(addresses_in(bytes(DNSRecord.question("a.garden.example").pack()))) == []


@given(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 200))
def test_a_damaged_message_raises_nothing_and_points_into_itself(cut, junk, where):
    whole = answer()
    message = (whole[:where] + junk + whole[where + len(junk) :])[:cut]
    assert all(place >= 0 and place + size <= len(message) for place, size in addresses_in(message))


@given(st.binary(max_size=300))
def test_anything_at_all_raises_nothing(message):
    assert all(size in {4, 16} for _, size in addresses_in(message))
