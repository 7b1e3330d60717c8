"""Output of a foreign tool that is not what it should be, and its JSON lines, read or told as such."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

SHOWN = 80  # bytes of a line


class JunkError(ValueError):
    """A line that is not what it should be: its number, what was found, what was expected."""


def shown(line: bytes) -> str:
    """The begin of a line, for a message.

    >>> shown(b"  [1, ")
    "'[1,'"
    """
    return repr(line[:SHOWN].decode(errors="replace").strip())


def json_lines(lines: Iterable[bytes], expected: str) -> Iterator[tuple[int, bytes, Any]]:
    """Number, text and value of every line that is not blank; JunkError for one that is no JSON."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as fault:
            raise JunkError(f"line {number}: found {shown(line)} ({fault}), expected {expected}") from None
        yield number, line, value
