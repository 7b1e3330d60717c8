"""Findings taken back from a foreign detector: JSON lines, checked one by one, never repaired."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from detector.contract import Finding
from detector.fenced.outcome import Failed

MOST = 1_000_000
LONGEST = 1 << 20  # bytes of a line: a finding with a thousand reasons has less
SHOWN = 80  # characters of a line in a message


def taken(lines: Iterable[bytes] | Path, *, most: int = MOST) -> Iterator[Finding]:
    """The findings in JSON lines (DESIGN section 11), of a file or with or without line ends; empty lines are none.

    Failed names line, found and expected of the first that is no finding, and where there are more than ``most``.
    """
    if isinstance(lines, Path):
        with lines.open("rb") as file:
            yield from taken(iter(lambda: file.readline(LONGEST + 1), b""), most=most)
        return
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        count += 1
        if count > most:
            raise Failed(f"line {number}: more than {most:,} findings, expected fewer; nobody could read them")
        yield _finding(number, line)


def _finding(number: int, line: bytes) -> Finding:
    if len(line) > LONGEST:
        raise Failed(f"line {number}: longer than {LONGEST:,} bytes, expected one finding")
    try:
        return Finding.from_json(json.loads(line))
    except (ValueError, RecursionError, OverflowError) as fault:
        shown = line[:SHOWN].decode(errors="replace").strip()
        raise Failed(f"line {number}: no finding ({fault}); found {shown!r}, expected a JSON object") from None
