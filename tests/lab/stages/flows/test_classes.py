"""Classes of dialogues: what is replaced, what is kept, what is counted."""

import pytest

from lab.stages.flows.classes import Class, canonical, texts_in


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("target", "a.example:443", "qzo.option.example:443"),
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
    assert texts_in(kind, said) == (2, 2, 1, 0, 0)
