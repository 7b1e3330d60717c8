"""Bodies cut at line ends."""

from hypothesis import given
from hypothesis import strategies as st

from detector.imports import pieces as module
from detector.imports.pieces import count_lines, find, pieces


@given(st.binary(max_size=200), st.integers(1, 40))
def test_pieces_hold_every_byte_and_know_their_first_line(body, size):
    before, module.PIECE = module.PIECE, size
    try:
        found = list(pieces(memoryview(body), 7))
    finally:
        module.PIECE = before
    assert b"".join(bytes(piece) for piece, _ in found) == body
    at = 0
    for piece, line in found:
        assert line == 7 + body[:at].count(b"\n")
        at += len(piece)
        assert at == len(body) or bytes(piece).endswith(b"\n")


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=3), st.integers(0, 60), st.integers(1, 9))
def test_find_finds_what_bytes_find(body, what, start, size):
    before, module.SEARCHED = module.SEARCHED, size
    try:
        assert find(memoryview(body), what, start) == body.find(what, start)
        assert count_lines(memoryview(body)) == body.count(b"\n")
    finally:
        module.SEARCHED = before
