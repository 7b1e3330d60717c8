"""Work per flow: four times the hostile bytes may cost about four times as much, never sixteen times."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from time import process_time

import pytest

from detector.capture.names import identify
from detector.capture.names.dns import parse_dns, split_tcp
from detector.capture.names.mail import banner
from detector.capture.names.tls import client_hello

GET = b"GET / HTTP/1.1\r\n"
HELLO = b"\x16\x03\x01\xff\xff\x01\x00\xff\xfa\x03\x03" + bytes(32) + b"\0\0\x02\x13\x01\x01\0\xff\xff"
ANSWER = b"\0\1\x80\0\0\1\xff\xff\0\0\0\0\1a\0\0\1\0\1"
#: Long enough that the clock's grain does not count, short enough that a quadratic reading still ends.
SIZE = 8192

UP = {
    "blanks before the last letter": lambda n: GET + b"Host: x" + b" " * n + b"y\r\n\r\n",
    "blanks before a bare return": lambda n: GET + b"Host: x" + b" \t" * (n // 2) + b"\ry\r\n\r\n",
    "many hosts": lambda n: GET + b"Host: a\r\n" * (n // 9),
    "hosts without an end": lambda n: GET + b"Host:" * (n // 5) + b"\r",
    "empty lines cut in two": lambda n: GET + b"\r\n\r" * (n // 3),
    "a path without an end": lambda n: b"GET /" + b"a" * n + b" HTTP/2",
    "a target without an end": lambda n: b"CONNECT a " + b"a" * n + b" HTTP/2",
    "letters": lambda n: b"A" * n,
    "socks greetings": lambda n: b"\5" * n,
    "socks 4 names": lambda n: b"\4\1\0\1\0\0\0\1" + b"a" * n,
    "xml heads": lambda n: b"<?xml>" + b" " * n + b"<?xml" * 9,
    "mail and records": lambda n: b"EHLO x\r\n" + b"\x16\x03" * (n // 2),
}
PURE: dict[str, Callable[[int], object]] = {
    "smtp greeting": lambda n: banner(b"", b"220 " + b"SMTmai" * (n // 6)),
    "empty extensions": lambda n: client_hello(HELLO + bytes(n)),
    "empty records": lambda n: client_hello(HELLO[:3] + b"\0\1\1" + b"\0\0\0\0\0" + b"\x16\3\1\0\0" * (n // 5)),
    "messages of twelve bytes": lambda n: split_tcp((b"\0\x0c" + bytes(12)) * (n // 14)),
    "a name of pointers": lambda n: parse_dns(ANSWER + b"\xc0\x0c\0\x05\0\1\0\0\0\0\0\2\xc0\x0c" * (n // 14)),
    "texts of one byte": lambda n: parse_dns(ANSWER + b"\0\0\x10\0\1\0\0\0\0" + n.to_bytes(2, "big") + b"\1x" * n),
}
_different = count()


def growth(work: Callable[[int], object]) -> float:
    """How many times longer four times the size takes; the least of some tries, since waiting only ever adds."""

    def least(size: int) -> float:
        taken = []
        for _ in range(7):
            begun = process_time()
            for _ in range(5):
                work(size)
            taken.append(process_time() - begun)
        return min(taken)

    return least(4 * SIZE) / max(least(SIZE), 2e-5)


def identified(up: bytes) -> object:
    return identify("tcp", 1, 80, up + str(next(_different)).encode(), up)  # never twice the same: answers are cached


@pytest.mark.parametrize("kind", UP)
def test_hostile_starts_cost_no_more_than_their_length(kind: str) -> None:
    assert growth(lambda n: identified(UP[kind](n))) < 9


@pytest.mark.parametrize("kind", PURE)
def test_hostile_messages_cost_no_more_than_their_length(kind: str) -> None:
    assert growth(PURE[kind]) < 9


def test_the_measure_sees_a_pattern_that_parts_off_blanks() -> None:
    slow = re.compile(rb"^host:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE)
    assert growth(lambda n: slow.search(b"host: x" + b" " * (n // 32) + b"y\r\n")) > 7
