"""The memory never answers otherwise than the reader, whatever byte changes and wherever a message is cut."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.names import alike
from detector.capture.names.alike import Alike
from detector.capture.names.dns import dns_kind, dns_layout, parse_dns
from detector.capture.names.tls import client_hello, hello_kind, hello_layout


def extension(kind, body):
    return kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def hello(name=b"www.shop.example", random=bytes(32), session=bytes(32), share=bytes(36)):
    server = (len(name) + 3).to_bytes(2, "big") + b"\0" + len(name).to_bytes(2, "big") + name
    extensions = extension(0, server) + extension(51, share) + extension(16, b"\0\x03\x02h2")
    extensions += extension(43, b"\x02\x03\x04") + extension(13, b"\0\x04\x04\x03\x08\x04") + extension(21, bytes(40))
    body = b"\x03\x03" + random + bytes([len(session)]) + session + b"\0\x04\x13\x01\x13\x02\x01\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def answer(name=b"\3www\4shop\7example\0", ttl=60, address=b"\xc6\x12\0\x07", answers=2):
    record = b"\xc0\x0c\0\1\0\1" + ttl.to_bytes(4, "big") + b"\0\4" + address
    return b"\x12\x34\x81\x80\0\1" + answers.to_bytes(2, "big") + bytes(4) + name + b"\0\1\0\1" + record * answers


def hellos():
    read = []
    return Alike(lambda stream: read.append(stream) or client_hello(stream), hello_kind, hello_layout), read


def lookups():
    read = []
    return Alike(lambda payload: read.append(payload) or parse_dns(payload), dns_kind, dns_layout), read


def without_ident(message):
    return None if message is None else replace(message, ident=0)


def test_other_random_bytes_are_the_same_hello():
    known, read = hellos()
    for byte in range(50):
        other = hello(random=bytes([byte]) * 32, session=bytes([byte]) * 32, share=bytes([byte]) * 36)
        assert known(other) == client_hello(other)
    assert len(read) == 1


def test_other_times_to_live_are_the_same_answer():
    known, read = lookups()
    assert {known(answer(ttl=ttl)).answers for ttl in range(50)} == {("198.18.0.7", "198.18.0.7")}
    assert len(read) == 1


def test_padding_to_one_length_keeps_both_layouts():
    known, read = hellos()
    pair = [hello(b"a.example", share=bytes(40)), hello(b"abc.example", share=bytes(38))]
    for message in pair * 10:
        assert known(message) == client_hello(message)
    assert len(pair[0]) == len(pair[1])
    assert len(read) == 2


@pytest.mark.parametrize(
    ("make", "read", "same"), [(hellos, client_hello, lambda x: x), (lookups, parse_dns, without_ident)]
)
def test_every_changed_byte_and_every_cut_is_read_anew(make, read, same):
    known, _ = make()
    whole = hello() if make is hellos else answer()
    known(whole)
    for place in range(len(whole)):
        for value in (0, 1, 0xC0, whole[place] ^ 1, 255):
            changed = whole[:place] + bytes([value]) + whole[place + 1 :]
            assert same(known(changed)) == same(read(changed)), (place, value)
        assert same(known(whole[:place])) == same(read(whole[:place])), place
        assert same(known(whole + bytes(place))) == same(read(whole + bytes(place))), place
    assert same(known(whole)) == same(read(whole))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 250), st.binary(max_size=4), st.integers(0, 300)), max_size=8))
def test_a_memory_filled_by_anybody_answers_as_the_reader(changes):
    for (known, _), whole, read, same in (
        (hellos(), hello(), client_hello, lambda x: x),
        (lookups(), answer(), parse_dns, without_ident),
    ):
        message = whole
        for fresh, place, put, cut in changes:
            message = whole if fresh else message
            message = message[:place] + put + message[place + len(put) :]
            for one in (message, message[:cut], message + put):
                assert same(known(one)) == same(read(one))


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(alike, "REMEMBERED", 10)
    known, read = lookups()
    for last in range(100):
        known(answer(address=bytes([198, 18, 0, last])))
    kept = [value for kinds in known._known.values() for learnt in kinds for value in learnt.values]
    assert len(read) == 100
    assert len(kept) <= 10


def test_what_no_layout_describes_is_read_every_time():
    known, read = hellos()
    cut = hello()[:100]
    assert known(cut) == known(cut) == client_hello(cut)
    assert len(read) == 2


def test_a_layout_that_forgets_a_byte_would_be_seen():
    wrong = Alike(parse_dns, dns_kind, lambda _payload: [slice(2, 12), slice(12, 14)])
    wrong(answer())
    other = answer(address=b"\xc6\x12\0\x08")
    assert wrong(other) != parse_dns(other)
