"""Runs where mitmproxy is: in the gateway's image, by tests/live/gateway."""

import unittest

try:
    from mitmproxy.test import tflow, tutils
except ImportError as absent:
    raise unittest.SkipTest("no mitmproxy here; tests/live/gateway runs this in the image") from absent

from lab.stages.live.gateway.image.events import Relayed
from lab.stages.live.gateway.image.reading import (
    counter,
    read_dns,
    read_http,
    request_head_size,
    response_head_size,
)

QUESTION = bytes.fromhex("1267012000010000000000010377777707") + b"example\x00\x00\x01\x00\x01" + bytes(2) + b"\x29"


class Sizes(unittest.TestCase):
    def test_heads_are_counted_as_http1_writes_them(self):
        request = tutils.treq(headers=((b"a", b"bc"),), path=b"/p")
        assert request_head_size(request) == len("GET /p HTTP/1.1\r\na: bc\r\n\r\n")
        response = tutils.tresp(headers=((b"a", b"bc"),), reason=b"OK")
        assert response_head_size(response) == len("HTTP/1.1 200 OK\r\na: bc\r\n\r\n")

    def test_heads_of_http2_are_counted_as_if_http1_wrote_them(self):
        request = tutils.treq(http_version=b"HTTP/2.0", authority=b"x.example", headers=((b"a", b"b"),), path=b"/p")
        assert request_head_size(request) == len("GET /p HTTP/1.1\r\nhost: x.example\r\na: b\r\n\r\n")

    def test_bodies_are_counted_and_left_as_they_are(self):
        plain, chunked = Relayed(0), Relayed(0)
        for piece in (b"abc", b"d" * 16, b""):
            assert counter(plain, chunked=False, from_client=True)(piece) == piece
            assert counter(chunked, chunked=True, from_client=False)(piece) == piece
        assert (plain.up, plain.down) == (19, 0)
        assert chunked.down == len(b"3\r\nabc\r\n" + b"10\r\n" + b"d" * 16 + b"\r\n" + b"0\r\n\r\n")


class Readings(unittest.TestCase):
    def test_a_flow_is_told_with_its_times(self):
        flow = tflow.tflow(resp=True)
        flow.request.headers["User-Agent"] = "test/1"
        flow.response.timestamp_end = 946681203.5
        told = read_http(flow, unfinished=False)
        assert (told["method"], told["path"], told["status"], told["user_agent"]) == ("GET", "/path", 200, "test/1")
        assert told["end_us"] == 946681203_500000
        assert read_http(flow, unfinished=True)["end_us"] is None

    def test_a_request_without_answer_has_no_status(self):
        told = read_http(tflow.tflow(), unfinished=True)
        assert (told["status"], told["answer_us"]) == (None, None)

    def test_questions_are_read_and_rubbish_is_not(self):
        told = read_dns(QUESTION + bytes(8))
        assert (told["qname"], told["qtype"], told["answers"]) == ("www.example", "A", [])
        for cut in range(len(QUESTION)):
            assert set(read_dns(QUESTION[:cut])) == {"qname", "qtype", "answers"}


if __name__ == "__main__":
    unittest.main()
