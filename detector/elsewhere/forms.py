"""Which tool wrote a file: our findings.jsonl, Suricata's EVE, RITA's CSV, Slips' alerts; told by its first line.

A file is of one form from its first line to its last: what does not fit is a fault with its line, never passed over.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.fenced import Failed

NATIVE, EVE, RITA, SLIPS, NOTHING = "findings", "eve", "rita", "slips", "nothing"
LONGEST = 1 << 22  # bytes of a line: an EVE event with a packet has less
GZIP = b"\x1f\x8b"
EXPECTED = (
    "one of: findings.jsonl (DESIGN section 11), Suricata's eve.json, RITA's CSV with its header, "
    "Slips' alerts (IDEA0 or IDMEFv2, a JSON object a line)"
)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked if it is gzip; Failed where it cannot be read to its end."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
                if len(line) > LONGEST:
                    raise Failed(f"{path}: line {number}: longer than {LONGEST:,} bytes, expected {EXPECTED}")
                yield line
    except (OSError, EOFError) as fault:
        raise Failed(f"{path}: not to be read to its end ({fault}); copy it again") from None


def form_of(path: Path) -> str:
    """The form of a file by its first line that is not empty; Failed where it is none that we know."""
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            found = _form(line.strip().removeprefix(b"\xef\xbb\xbf"))
            if found is None:
                shown = line[:80].decode(errors="replace").strip()
                raise Failed(f"{path}: line {number}: found {shown!r}, expected {EXPECTED}")
            return found
    return NOTHING


def _form(line: bytes) -> str | None:
    if not line.startswith(b"{"):
        return RITA if b"Source IP" in line and b"," in line else None
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    marks = {NATIVE: ("analytic", "device"), EVE: ("event_type", "timestamp")}
    for form, keys in marks.items():
        if all(key in row for key in keys):
            return form
    return SLIPS if row.get("Format") == "IDEA0" or ("Analyzer" in row and "CreateTime" in row) else None
