"""SOCKS requests from either end of a flow, and what must not be taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names import identify
from detector.capture.names.socks import MAX_HELLO, relaying

ASK_V4 = bytes.fromhex("050100014a7d83670050")
ASK_NAME = b"\x05\x01\x00\x03\x0cshop.example\x01\xbb"
ASK_V6 = b"\x05\x01\x00\x04" + bytes.fromhex("20010db8000000000000000000000007") + b"\x01\xbb"
GRANTED = bytes.fromhex("05000001000000000000")
REFUSED = bytes.fromhex("05050001000000000000")


@pytest.mark.parametrize(
    ("ask", "target"),
    [(ASK_V4, "74.125.131.103:80"), (ASK_NAME, "shop.example:443"), (ASK_V6, "[2001:db8::7]:443")],
)
@pytest.mark.parametrize("greeting", [b"\x05\x01\x00", b"\x05\x02\x00\x02", b"\x05\x04\x00\x01\x02\x80"])
def test_socks5_from_either_end(ask: bytes, target: str, greeting: bytes) -> None:
    asking, answering = greeting + ask, b"\x05\x00" + GRANTED
    forward = identify("tcp", 40_000, 1080, asking, answering)
    back = identify("tcp", 40_000, 443, answering, asking)
    assert (forward.app_proto, forward.proxy, forward.proxy_server) == ("socks5", "socks5", "server")
    assert (back.app_proto, back.proxy, back.proxy_server) == ("socks5", "socks5", "client")
    assert forward.proxy_target == back.proxy_target == target
    assert forward.proxy_granted is True
    assert back.proxy_granted is True


@pytest.mark.parametrize("hello", [b"NZ\x8d\x08\x87N", b"\x05\x00\x05", bytes(MAX_HELLO)])
def test_dialler_may_say_hello_before_it_answers(hello: bytes) -> None:
    found = identify(
        "tcp", 40_000, 8855, hello + b"\x05\x00" + GRANTED + b"HTTP/1.1 200 OK", b"\x05\x01\x00" + ASK_V4 + b"GET /"
    )
    assert (found.proxy_server, found.proxy_target, found.proxy_granted) == ("client", "74.125.131.103:80", True)


@pytest.mark.parametrize(
    ("password", "verdict", "reply", "granted"),
    [(b"alice", b"\x01\x00", GRANTED, True), (b"", b"\x01\x00", REFUSED, False), (b"no", b"\x01\x01", b"", False)],
)
def test_user_name_and_password_of_rfc_1929(password: bytes, verdict: bytes, reply: bytes, granted: bool) -> None:
    asking = b"\x05\x01\x02\x01\x03bob" + bytes([len(password)]) + password + (ASK_NAME if verdict[1] == 0 else b"")
    found = relaying(asking, b"\x05\x02" + verdict + reply)
    assert found is not None
    assert found.granted is granted
    assert found.target == ("shop.example:443" if verdict[1] == 0 else None)


def test_no_acceptable_method_is_a_refusal() -> None:
    found = relaying(b"\x05\x01\x00", b"\x05\xff")
    assert found is not None
    assert found.granted is False


def test_request_without_an_answer_is_open() -> None:
    found = relaying(b"\x05\x01\x00" + ASK_NAME, b"")
    assert found is not None
    assert (found.target, found.granted) == ("shop.example:443", None)


@pytest.mark.parametrize(
    ("ask", "version", "target"),
    [
        (b"\x04\x01\x00\x50\x5d\xb8\xd8\x77\x00", "socks4", "93.184.216.119:80"),
        (b"\x04\x01\x01\xbb\x00\x00\x00\x016d7c\x00login.shop.example\x00", "socks4a", "login.shop.example:443"),
    ],
)
@pytest.mark.parametrize(("code", "granted"), [(0x5A, True), (0x5B, False)])
def test_socks4_from_either_end(ask: bytes, version: str, target: str, code: int, granted: bool) -> None:
    answer = bytes([0, code]) + bytes(6)
    forward, back = identify("tcp", 1, 1080, ask, answer), identify("tcp", 1, 443, b"hi" + answer, ask)
    assert (forward.app_proto, forward.proxy, forward.proxy_server) == ("socks4", version, "server")
    assert (back.proxy, back.proxy_server, back.proxy_target) == (version, "client", target)
    assert forward.proxy_granted is granted
    assert back.proxy_granted is granted


@pytest.mark.parametrize(
    ("asking", "answering"),
    [
        (b"\x05\x01\x00", b""),  # a greeting alone
        (b"\x05\x01\x00", b"HTTP/1.1 400 Bad Request"),
        (b"\x05\x01\x00", b"\x05\x02"),  # a method that was not offered
        (b"\x05\x00", b"\x05\x00"),  # no method offered
        (b"\x05\x09\x00\x01", b"\x05\x00"),  # cut list of methods
        (b"\x05\x01\x00GET / HTTP/1.1", b"\x05\x00"),  # no request behind the greeting
        (b"\x04\x01\x00\x50\x01\x02\x03\x04\xff\x00", b"\x00\x5a" + bytes(6)),  # user id does not print
        (b"\x04\x01\x00\x50\x01\x02\x03\x04\x00more", b"\x01\x02\x03"),  # no answer of SOCKS 4
    ],
)
def test_what_only_looks_like_socks(asking: bytes, answering: bytes) -> None:
    assert relaying(asking, answering) is None
    assert identify("tcp", 1, 1080, asking, answering).proxy is None


@given(st.binary(max_size=40), st.binary(max_size=80), st.integers(0, 40))
def test_hostile_bytes_never_raise(first: bytes, second: bytes, cut: int) -> None:
    for head in (b"\x05", b"\x04", b"\x05\x01\x00", b"\x05\x01\x02\x01"):
        assert relaying(head + first, second, MAX_HELLO) is None or len(head + first) > 2
    whole = b"\x05\x01\x00" + ASK_NAME
    found = relaying(whole[:cut], b"\x05\x00" + GRANTED)
    assert found is None or found.target == ("shop.example:443" if cut >= len(whole) else None)


@given(st.binary(min_size=200, max_size=200), st.binary(min_size=200, max_size=200))
def test_random_bytes_behind_a_five_are_not_socks(first: bytes, second: bytes) -> None:
    first = b"\x05" + bytes(255 - byte if byte in (1, 5) else byte for byte in first)
    assert relaying(first, second) is None or second[:1] == b"\x05"
