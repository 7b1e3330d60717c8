import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.protocols.sip import messages


def read(data):
    """First line and fields of a message; Content-Length must tell its body."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert int(fields["Content-Length"]) == len(body)
    return first, fields


def test_a_phone_registers_with_the_nonce_it_was_given(dialogue):
    said = [read(m.data) for m in messages(dialogue([], host="sip.vendor.example", start=0, user="1234"))]
    lines = [first for first, _ in said]
    register = "REGISTER sip:sip.vendor.example SIP/2.0"
    assert lines == [register, "SIP/2.0 401 Unauthorized", register, "SIP/2.0 200 OK"]
    nonce = said[1][1]["WWW-Authenticate"].split('nonce="')[1].split('"')[0]
    assert f'nonce="{nonce}"' in said[2][1]["Authorization"]
    for asked, answered in ((said[0], said[1]), (said[2], said[3])):
        for name in ("Via", "From", "Call-ID", "CSeq"):
            assert asked[1][name] == answered[1][name]
        assert answered[1]["To"].startswith(asked[1]["To"] + ";tag=")
    assert [fields["CSeq"] for _, fields in said[::2]] == ["1 REGISTER", "2 REGISTER"]


@given(st.sampled_from(["REGISTER", "OPTIONS"]), st.integers(5, 2_000), st.integers(1, 2_000))
def test_requests_and_answers_have_the_size_asked(dialogue, method, up, down):
    rows = [(10**9, up, down, 50)]
    *_, asked, answered = messages(dialogue(rows, host="sip.vendor.example", start=0, method=method))
    assert (read(asked.data)[0].split()[0], read(answered.data)[0]) == (method, "SIP/2.0 200 OK")
    for size, data in ((up, asked.data), (down, answered.data)):
        assert len(data) == size or size < 700 or size > 1_300
        assert len(data) <= 1_300


def test_filler_stands_in_a_field_of_rfc_3261(dialogue):
    *_, asked, answered = messages(dialogue([(10**9, 700, 500, 50)], start=0))
    assert "Organization" in read(asked.data)[1]
    assert "Organization" in read(answered.data)[1]


def test_servers_ask_and_phones_keep_their_mapping(dialogue):
    said = list(messages(dialogue([(10**9, 4, 4, 0), (2 * 10**9, 0, 400, 0)], start=0)))[4:]
    assert said[0].data == b"\r\n\r\n"
    assert [m.from_client for m in said] == [True, False, True]
    assert said[1].pushed
    asked, answered = (read(m.data) for m in said[1:])
    assert asked[0].startswith("OPTIONS sip:")
    assert (answered[0], answered[1]["CSeq"]) == ("SIP/2.0 200 OK", asked[1]["CSeq"])


def test_another_method_is_refused(dialogue):
    with pytest.raises(ValueError, match="known are REGISTER, OPTIONS"):
        list(messages(dialogue([(0, 9, 9, 9)], method="INVITE")))
