import hashlib
import hmac
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.stun import messages

MINUTE = 60_000_000
CHANNELLED = st.one_of(st.just(0), st.integers(4, 5_000))


def attributes(data):
    """(type, offset, value) of a message's attributes; header and fingerprint are checked (RFC 8489 sections 5, 14.7)."""
    assert data[4:8] == b"\x21\x12\xa4\x42"
    assert int.from_bytes(data[2:4], "big") == len(data) - 20
    found, place = [], 20
    while place < len(data):
        kind, size = (int.from_bytes(data[at : at + 2], "big") for at in (place, place + 2))
        found.append((kind, place, data[place + 4 : place + 4 + size]))
        place += 4 + size + -size % 4
    assert place == len(data)
    kind, at, value = found[-1]
    assert kind == 0x8028
    assert int.from_bytes(value, "big") == zlib.crc32(data[:at]) ^ 0x5354554E
    return found


def is_channel(data):
    return data[0] & 0xC0 == 0x40


@given(st.integers(0, 1_000), st.integers(1, 1_000))
def test_bindings_answer_with_an_address_and_fill_what_was_asked(dialogue, up, down):
    asked, answered = messages(dialogue([(0, up, down, 5)], host="stun.vendor.example"))
    assert (asked.data[:2], answered.data[:2]) == (b"\0\1", b"\1\1")
    assert asked.data[8:20] == answered.data[8:20]
    attributes(asked.data)
    ((_, _, mapped),) = [one for one in attributes(answered.data) if one[0] == 0x0020]
    address = int.from_bytes(mapped[4:], "big") ^ 0x2112A442
    assert address >> 17 == ((198 << 24) + (18 << 16)) >> 17
    for size, data, least in ((up, asked.data, 28), (down, answered.data, 40)):
        assert -4 < min(max(size, least), 800) - len(data) < 13 or len(data) > 790


def test_an_allocation_is_refused_then_granted_under_the_credential(dialogue):
    said = list(messages(dialogue([(MINUTE, 100, 100, 5)], host="turn.vendor.example", relay="1", start=0)))
    assert [m.data[:2].hex() for m in said[:6]] == ["0003", "0113", "0003", "0103", "0009", "0109"]
    refused = {kind: value for kind, _, value in attributes(said[1].data)}
    assert refused[0x0009][:4] == bytes([0, 0, 4, 1])
    retried = {kind: value for kind, _, value in attributes(said[2].data)}
    assert (retried[0x0014], retried[0x0015]) == (refused[0x0014], refused[0x0015])
    assert 0x0008 in retried
    assert all(is_channel(m.data) for m in said[6:])


def test_integrity_is_hmac_sha1_under_the_long_term_key(dialogue, monkeypatch):
    """RFC 8489 section 14.5: over the message up to itself, its length as if it ended the message."""
    import lab.protocols.stun as module

    monkeypatch.setattr(module, "filler_text", lambda _rng, size: b"p" * size)
    said = list(messages(dialogue([(0, 100, 100, 5)], host="turn.vendor.example", relay="1", user="me")))
    key = hashlib.md5(b"me:vendor.example:" + b"p" * 22, usedforsecurity=False).digest()
    for message in said[2:6]:
        ((_, at, value),) = [one for one in attributes(message.data) if one[0] == 0x0008]
        covered = message.data[:2] + (at + 24 - 20).to_bytes(2, "big") + message.data[4:at]
        assert value == hmac.digest(key, covered, "sha1")


@given(st.lists(st.tuples(CHANNELLED, CHANNELLED), min_size=1, max_size=5))
def test_channel_data_are_the_bytes_asked_for(dialogue, pairs):
    rows = [(MINUTE * (i + 1), up, down, 5) for i, (up, down) in enumerate(pairs)]
    said = [m for m in messages(dialogue(rows, relay="1", start=0)) if is_channel(m.data)]
    for side, column in ((True, 0), (False, 1)):
        assert sum(len(m.data) for m in said if m.from_client == side) == sum(pair[column] for pair in pairs)
    for message in said:
        assert int.from_bytes(message.data[2:4], "big") == len(message.data) - 4
    assert all(len(m.data) <= 1_200 for m in said)


def test_a_long_call_refreshes_allocation_and_channel_before_they_end(dialogue):
    rows = [(i * MINUTE // 2, 172, 172, 5) for i in range(60)]
    said = list(messages(dialogue(rows, relay="1")))
    times = [m.time for m in said if m.data[:2] == b"\0\4"]
    assert len(times) == 7
    assert all(0 < b - a <= 5 * MINUTE for a, b in pairwise(times))
    bound = [m.time for m in said if m.data[:2] == b"\0\x09"]
    assert len(bound) == 8


@pytest.mark.parametrize(("down", "kind"), [(0, "0011"), (40, "0001")])
def test_what_needs_no_answer_is_an_indication(dialogue, down, kind):
    first = next(messages(dialogue([(0, 28, down, 5)])))
    assert first.data[:2].hex() == kind
