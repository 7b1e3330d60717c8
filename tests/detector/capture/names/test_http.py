"""HTTP/1 heads: requests, CONNECT from either end, WebSocket upgrades, cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names import Names, identify
from detector.capture.names.http import connect, request, status, switched

GET = b"GET /poll?id=7 HTTP/1.1\r\nHOST:  beacon.example:8080 \r\nUser-Agent: okhttp/4.12.0\r\nX: y\r\n\r\nHost: wrong"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
TUNNEL = b"CONNECT mail.example:25 HTTP/1.1\r\nHost: mail.example:25\r\n\r\n"


def test_request_head() -> None:
    found = request(GET)
    assert found is not None
    assert (found.method, found.path) == ("GET", "/poll?id=7")
    assert (found.host, found.user_agent, found.websocket) == ("beacon.example:8080", "okhttp/4.12.0", False)


def test_header_beyond_the_head_or_cut_in_the_line_does_not_count() -> None:
    assert request(b"POST / HTTP/1.1\r\nA: b\r\n\r\nHost: body.example\r\n") == request(b"POST / HTTP/1.1\r\n\r\n")
    cut = request(b"GET / HTTP/1.1\r\nHost: whole.example\r\nUser-Agent: hal")
    assert cut is not None
    assert (cut.host, cut.user_agent) == ("whole.example", None)


def test_request_line_longer_than_what_was_captured() -> None:
    found = request(b"GET /" + b"a" * 4000)
    assert found is not None
    assert (found.method, found.host) == ("GET", None)


@pytest.mark.parametrize(
    "raw", [b"", b"GET", b"HELO mail HTTP/1.1", b"GET / SIP/2.0\r\n", b"\x16\x03\x01", b"get / HTTP/1.1\r\n"]
)
def test_no_request(raw: bytes) -> None:
    assert request(raw) is None


@pytest.mark.parametrize(
    ("answer", "granted"),
    [(b"HTTP/1.0 200 Connection established\r\n\r\n", True), (b"HTTP/1.1 407 No\r\n\r\n", False), (b"", None)],
)
def test_connect_is_granted_by_status(answer: bytes, granted: bool | None) -> None:
    found = identify("tcp", 50_000, 8080, TUNNEL, answer)
    assert (found.app_proto, found.proxy, found.proxy_server) == ("connect", "connect", "server")
    assert (found.proxy_target, found.proxy_granted, found.method) == ("mail.example:25", granted, "CONNECT")


def test_connect_from_the_server_is_answered_by_the_dialler_behind_its_hello() -> None:
    found = identify("tcp", 50_000, 443, b"id=42\nHTTP/1.1 200 OK\r\n\r\n", TUNNEL)
    assert (found.proxy_server, found.proxy_target, found.proxy_granted) == ("client", "mail.example:25", True)


def test_connect_with_a_path_behind_the_authority() -> None:
    assert connect(b"CONNECT a.example:25 / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 \r\n") == ("a.example:25", True)


def test_websocket_needs_the_upgrade_and_no_refusal() -> None:
    assert identify("tcp", 1, 80, UPGRADE, SWITCHED).app_proto == "websocket"
    assert identify("tcp", 1, 80, UPGRADE, b"").app_proto == "websocket"
    assert identify("tcp", 1, 80, UPGRADE, b"HTTP/1.1 403 Forbidden\r\n\r\n").app_proto == "http"
    assert identify("tcp", 1, 80, b"", SWITCHED) == Names("websocket")
    assert switched(SWITCHED)
    assert not switched(b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n")


def test_status_line() -> None:
    assert status(b"HTTP/1.1 204 No Content\r\n") == 204
    assert status(b"HTTP/1.1 999 Odd\r\n") is None
    assert status(b"HTTP/1.1 20") is None


@given(st.binary(max_size=200), st.integers(0, 200))
def test_hostile_heads_never_raise(noise: bytes, cut: int) -> None:
    for start in (b"", GET[:cut], UPGRADE[:cut], TUNNEL[:cut]):
        assert identify("tcp", 1, 80, start + noise, SWITCHED[:cut] + noise).app_proto != "dns"


@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t "])
def test_blanks_around_a_value_are_no_part_of_it(blanks: bytes) -> None:
    found = request(b"GET / HTTP/1.1\r\nHost:" + blanks + b"a b" + blanks + b"\r\n\r\n")
    assert found is not None
    assert found.host == "a b"


def test_a_bare_carriage_return_in_a_value_is_no_header() -> None:
    found = request(b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n")
    assert found is not None
    assert found.host is None
