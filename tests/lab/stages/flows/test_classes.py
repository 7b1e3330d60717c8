"""Classes of dialogues: what is replaced, what is kept, what is counted."""

import pytest
from hpack import Encoder

from lab.stages.flows.classes import Class, canonical, texts_in


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("target", "www.a.example:443", "qzo.option.example:443"),
        ("zone", "a.example", "qzo-option.example"),
        ("answer", "198.18.1.2", "198.18.7.99"),
        ("target", "198.18.1.2:80", "198.18.7.99:80"),
        ("path", "/api/v2/check", "/qzo"),
        ("user", "someone@mail.example", "qzo@mail.example"),
        ("ttl", "77", "300"),
        ("method", "POST", "POST"),
        ("ping_below", "33", "33"),
    ],
)
def test_values_are_canonical(name, value, made):
    assert canonical(name, value)[0] == made
    assert canonical(name, canonical(name, value)[0]) == (made, 0)


def test_lengths_are_told():
    assert canonical("path", "/api")[1] == 0
    assert canonical("path", "/api/longer")[1] == 7
    assert canonical("answer", "198.18.100.200")[1] == 0  # four octets on the wire, however written


def test_texts_are_counted():
    kind = Class("http", 80, named=True, options=())
    said = f"Host: {kind.host}\r\nReferer: {kind.host}\r\nUser-Agent: {kind.agent}".encode()
    assert texts_in(kind, said) == (2, 2, 1, 0, 0, 0, 0, 0)


def test_texts_are_counted_in_header_blocks():
    kind = Class("http2", 8443, named=True, options=(("host", "qzo-option.example"),))
    said = Encoder().encode(
        [(":authority", f"{kind.host}:8443"), ("x", "qzo-option.example"), ("user-agent", kind.agent)]
    )
    assert texts_in(kind, said) == (0, 0, 0, 0, 0, 1, 1, 1)
    assert texts_in(Class("http", 80, named=True, options=()), said) == (0,) * 8
