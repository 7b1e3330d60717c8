"""A body of lines in pieces, so that damage in one line costs no slow reading of all others."""

from __future__ import annotations

from collections.abc import Iterator

PIECE = 1 << 18
SEARCHED = 16 << 20  # bytes copied at once to be searched


def pieces(body: memoryview, first_line: int) -> Iterator[tuple[memoryview, int]]:
    """Runs of whole lines of about PIECE bytes, and the number of the first line of each."""
    at, line = 0, first_line
    while at < len(body):
        end = min(at + PIECE, len(body))
        while end < len(body):
            place = bytes(body[at:end]).rfind(b"\n")
            if place >= 0:
                end = at + place + 1
                break
            end = min(end + PIECE, len(body))
        yield body[at:end], line
        line += bytes(body[at:end]).count(b"\n")
        at = end


def find(body: memoryview, what: bytes, start: int) -> int:
    """Where the bytes stand first from ``start`` on; -1 where they do not."""
    at = start
    while at < len(body):
        place = bytes(body[at : at + SEARCHED + len(what) - 1]).find(what)
        if place >= 0:
            return at + place
        at += SEARCHED
    return -1


def count_lines(body: memoryview) -> int:
    """How many lines end in the body."""
    return sum(bytes(body[at : at + SEARCHED]).count(b"\n") for at in range(0, len(body), SEARCHED))
