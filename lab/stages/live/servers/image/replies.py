"""A script's SMTP replies one by one, each with the turn it belongs to: codes and words (RFC 5321 section 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Reply(NamedTuple):
    """A whole reply of one or several lines, and the number of the turn it stands in."""

    code: bytes
    data: bytes
    turn: int


def replies(turns: Iterable[bytes | memoryview]) -> Iterator[Reply]:
    r"""The replies of a server's turns; a turn may hold several, as pipelining servers send them.

    >>> [reply.code for reply in replies([b"220 a\r\n", b"250-b\r\n250 c\r\n354 go\r\n"])]
    [b'220', b'250', b'354']
    """
    for number, turn in enumerate(turns):
        lines: list[bytes] = []
        for line in bytes(turn).splitlines(keepends=True):
            lines.append(line)
            if line[3:4] != b"-":
                yield Reply(line[:3], b"".join(lines), number)
                lines = []
