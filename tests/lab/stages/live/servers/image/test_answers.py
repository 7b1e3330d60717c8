"""HTTP answers keep the size of the script's, whatever head the real server writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.servers.image.answers import answer_turns, http1, http2

HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n"


def written(answer) -> bytes:
    """As hypercorn (h11) writes it: no reason phrase."""
    fields = b"".join(b"%b: %b\r\n" % field for field in answer.headers)
    return b"HTTP/1.1 %d \r\n%b\r\n%b" % (answer.status, fields, bytes(answer.body))


@given(st.binary(max_size=3_000))
def test_http1_has_the_scripts_size_and_body(body):
    said = HEAD % len(body) + body
    answer = http1(memoryview(said))
    assert len(written(answer)) == len(said)
    assert bytes(answer.body) == body


def test_an_answer_without_a_body_has_its_size_too():
    said = b"HTTP/1.1 204 No Content\r\nServer: nginx\r\nConnection: keep-alive\r\n\r\n"
    answer = http1(memoryview(said))
    assert answer.status == 204
    assert len(written(answer)) == len(said)


@given(st.integers(1, 70_000), st.integers(20, 90))
def test_http2_fills_what_its_frames_leave(size, head_size):
    said = HEAD % size + bytes(size)
    answer = http2(memoryview(said), head_size)
    body = len(answer.body)
    framed = 9 + head_size + body + 9 * -(-body // (1 << 14)) + 9
    assert framed <= len(said) or body == 0
    assert len(said) - framed <= 9 or body == 0
    assert dict(answer.headers)[b"content-length"] == b"%d" % body
    assert b"connection" not in dict(answer.headers)


@pytest.mark.parametrize("said", [b"", b"hello", b"HTTP/1.1 200\r\n\r\n", b"HTTP/1.1 2xx OK\r\n\r\n"])
def test_what_is_no_answer_is_refused(said):
    with pytest.raises(ValueError, match="is no answer"):
        http1(memoryview(said))


def test_each_request_has_its_answer(plans, plan_of):
    rows = ((0, 300, 500, 1), (5, 300, 0, 1), (9, 300, 900, 1))
    plan = plan_of(plans.Talk(0, "http", ("198.18.0.1", 80), rows))
    sizes = [turn.size for turn in answer_turns(plan.script(0))]
    assert sizes[0] == 500
    assert sizes[2] == 900
    assert len(sizes) == 3
