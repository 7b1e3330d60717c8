"""Lines of JSON objects as typed columns, by Arrow's reader; keys that are not asked for are never looked at.

Whatever Arrow refuses is read again line by line, slowly, so that the fault has a line, what was found and what was
expected; with ``allow_partial`` the lines that are sound are kept.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.json

from detector.imports.delimited import Fault, Lines, joined
from detector.imports.pieces import pieces

BLOCK = 8 << 20


def read_objects(body: memoryview, schema: pa.Schema, first_line: int) -> Lines:
    """The objects of a body, one a line, whose first has that number in its file."""
    found = _quickly(body, schema) if len(body) else Lines(schema.empty_table(), 0)
    if found is not None:
        return found
    return joined([_quickly(piece, schema) or _slowly(piece, schema, line) for piece, line in pieces(body, first_line)])


def _quickly(body: memoryview, schema: pa.Schema) -> Lines | None:
    """All lines by Arrow; None where any is at fault."""
    if not bytes(body[:4096]).strip():
        return None
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=min(BLOCK, len(body) + 1)),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return Lines(table.select(schema.names), 0)


def _slowly(body: memoryview, schema: pa.Schema, first_line: int) -> Lines:
    good: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for number, line in enumerate(bytes(body).split(b"\n"), first_line):
        if not line.strip():
            continue
        try:
            good.append(_object(line, schema))
        except (ValueError, TypeError, OverflowError, RecursionError, pa.ArrowException) as fault:
            faults.append((number, _shown(line, fault), "a JSON object with values of its kind of log"))
    return Lines(pa.Table.from_pylist(good, schema), 0, tuple(faults))


def _object(line: bytes, schema: pa.Schema) -> dict[str, Any]:
    """The columns of one line; an exception where it is no object or a value is of another kind."""
    found = json.loads(line)
    if not isinstance(found, dict):
        raise TypeError(f"a JSON {type(found).__name__}")
    row: dict[str, Any] = pa.Table.from_pylist([found], schema).to_pylist()[0]
    return row


def _shown(line: bytes, fault: Exception) -> str:
    """The end of what is wrong, which is where it is, and why."""
    why = str(fault).splitlines()[0][:80] if str(fault) else type(fault).__name__
    return f"{line[:40].decode('utf-8', 'replace')!r}... ({why})"
