import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.ssdp import messages


def read(data):
    """First line and fields of a message without a body."""
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b""
    first, *lines = head.decode("ascii").split("\r\n")
    return first, dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in lines)


@given(st.integers(1, 3_000), st.sampled_from(["search", "notify"]))
def test_questions_name_the_group_and_have_the_size(dialogue, up, say):
    (asked,) = messages(dialogue([(0, up, 0, 0)], say=say))
    first, fields = read(asked.data)
    assert first.split()[0] == {"search": "M-SEARCH", "notify": "NOTIFY"}[say]
    assert fields["HOST"] == "239.255.255.250:1900"
    if 400 < up <= 1_400:
        assert len(asked.data) == up
    assert len(asked.data) <= 1_400


@given(st.integers(1, 3_000))
def test_a_neighbour_answers_with_its_address_unasked(dialogue, down):
    (answered,) = messages(dialogue([(0, 0, down, 0)], host="10.88.9.9", st="urn:dial-multiscreen-org:service:dial:1"))
    first, fields = read(answered.data)
    assert (first, answered.pushed, answered.from_client) == ("HTTP/1.1 200 OK", True, False)
    assert fields["LOCATION"].startswith("http://10.88.9.9:")
    assert fields["ST"] == "urn:dial-multiscreen-org:service:dial:1"
    assert fields["USN"].endswith("::" + fields["ST"])


def test_what_is_neither_searched_nor_noticed_is_refused(dialogue):
    with pytest.raises(ValueError, match="known are notify, search"):
        list(messages(dialogue([(0, 1, 1, 1)], say="shout")))
