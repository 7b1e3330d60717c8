import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.mqtt import messages

PAIRS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=6)


def packets(data):
    """(type, flags, body) of each control packet, read as section 2 of the standard says."""
    found, place = [], 0
    while place < len(data):
        first, size, shift, place = data[place], 0, 0, place + 1
        while True:
            byte, place = data[place], place + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        assert shift <= 28
        found.append((first >> 4, first & 15, data[place : place + size]))
        place += size
    assert place == len(data)
    return found


@given(PAIRS)
def test_every_publication_of_quality_1_is_acknowledged_by_the_other_side(dialogue, pairs):
    said = list(messages(dialogue([(10**6 * i, up, down, 5) for i, (up, down) in enumerate(pairs)], start=0)))
    waiting = {True: [], False: []}
    for message in said:
        for kind, flags, body in packets(message.data):
            if kind == 3 and flags & 2:
                at = 2 + int.from_bytes(body[:2], "big")
                number = int.from_bytes(body[at : at + 2], "big")
                assert number > 0
                waiting[message.from_client].append(number)
            elif kind == 4:
                waiting[not message.from_client].remove(int.from_bytes(body, "big"))
    assert waiting == {True: [], False: []}
    assert [packets(m.data)[0][0] for m in said[:4]] == [1, 2, 8, 9]


@given(st.integers(60, 50_000), st.integers(60, 50_000))
def test_sizes_are_as_asked_or_a_byte_less_where_no_length_fits(dialogue, up, down):
    asked, answered, _ = list(messages(dialogue([(0, up, down, 5)])))[4:]
    assert up - len(asked.data) in {0, 1}
    assert down - len(answered.data) in {0, 1}


def test_small_exchanges_are_pings_and_a_push_is_acknowledged(dialogue):
    said = list(messages(dialogue([(0, 2, 2, 5), (10**6, 0, 90, 5), (2 * 10**6, 300, 0, 0), (3 * 10**6, 80, 4, 5)])))[
        4:
    ]
    kinds = [[kind for kind, _, _ in packets(m.data)] for m in said]
    assert kinds == [[12], [13], [3], [4], [3], [3], [4]]
    assert [m.pushed for m in said] == [False, False, True, False, False, False, False]
    assert [packets(m.data)[0][1] for m in said if packets(m.data)[0][0] == 3] == [2, 0, 2]


def test_connect_says_keepalive_user_and_password(dialogue):
    first = next(messages(dialogue([], start=0, keepalive="240", user="me", password="inert")))
    ((kind, _, body),) = packets(first.data)
    assert (kind, body[:8]) == (1, b"\0\4MQTT\4\xc2")
    assert int.from_bytes(body[8:10], "big") == 240
    assert body.endswith(b"\0\2me\0\5inert")


@pytest.mark.parametrize("keepalive", ["-1", "65536"])
def test_a_keepalive_of_more_than_16_bits_is_refused(dialogue, keepalive):
    with pytest.raises(ValueError, match="keepalive"):
        list(messages(dialogue([], start=0, keepalive=keepalive)))
