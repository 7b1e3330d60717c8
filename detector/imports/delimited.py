"""Lines of separated texts (Zeek's TSV, CSV without quotes) as typed columns, by Arrow's reader.

Whatever Arrow refuses is read again line by line, slowly, so that the fault has a line, what was found and what was
expected; with ``allow_partial`` the lines that are sound are kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from detector.imports.pieces import count_lines, find, pieces

BLOCK = 4 << 20
TIME, REAL, WHOLE, PORT, TEXT, FLAG = "time", "interval", "count", "port", "text", "bool"
_TYPES = {
    TIME: pa.float64(),
    REAL: pa.float64(),
    WHOLE: pa.int64(),
    PORT: pa.int32(),
    TEXT: pa.string(),
    FLAG: pa.bool_(),
}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


def _finite(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


_CHECKS: Mapping[str, Callable[[str], object]] = {
    TIME: _finite,
    REAL: _finite,
    WHOLE: re.compile(r"\d{1,18}").fullmatch,
    PORT: lambda text: text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 1 << 16,
    FLAG: re.compile(r"[TF]").fullmatch,
    TEXT: lambda _text: True,
}
Fault = tuple[int, str, str]  # line counted from 1, found, expected


@dataclass(frozen=True)
class Layout:
    """How lines are to be read: all columns in order, the types of those that are wanted, what stands for nothing."""

    columns: Sequence[str]
    wanted: Mapping[str, str]  # column -> TIME, REAL, ...
    separator: str = "\t"
    nothing: tuple[str, ...] = ("-", "(empty)")
    remark: bytes = b"#"  # lines that begin with it are no records; b"" for none

    @property
    def read(self) -> list[str]:
        """The wanted columns that there are."""
        return [name for name in self.columns if name in self.wanted]


@dataclass(frozen=True)
class Lines:
    """What was read: the columns as rows, remarks passed over, and faults of lines that are in neither."""

    table: pa.Table
    remarks: int
    faults: tuple[Fault, ...] = ()

    @property
    def count(self) -> int:
        """All lines that are not empty."""
        return int(self.table.num_rows) + self.remarks + len(self.faults)


def read_lines(body: memoryview, layout: Layout, first_line: int) -> Lines:
    """The lines of a body whose first has that number in its file."""
    parts = [Lines(_empty(layout), 0)]
    line = first_line
    for run, remarks in _runs(body, layout.remark):
        found = _quickly(run, layout)
        parts += [found] if found else _in_pieces(run, layout, line)
        parts.append(Lines(_empty(layout), remarks))
        line += count_lines(run) + remarks
    return joined(parts)


def joined(parts: Sequence[Lines]) -> Lines:
    """Lines read one after another as one."""
    faults = tuple(fault for part in parts for fault in part.faults)
    return Lines(pa.concat_tables([part.table for part in parts]), sum(part.remarks for part in parts), faults)


def _in_pieces(body: memoryview, layout: Layout, first_line: int) -> list[Lines]:
    """The same in pieces, those with a fault line by line."""
    return [_quickly(piece, layout) or _slowly(piece, layout, line) for piece, line in pieces(body, first_line)]


def _runs(body: memoryview, remark: bytes) -> Iterator[tuple[memoryview, int]]:
    """Runs of lines that are no remarks, and how many remarks follow each at once."""
    if not remark:
        yield body, 0
        return
    at = 0
    while at < len(body):
        stop = at
        if body[at : at + len(remark)] != remark:
            stop = find(body, b"\n" + remark, at) + 1 or len(body)
        run, remarks, at = body[at:stop], 0, stop
        while body[at : at + len(remark)] == remark:
            end = find(body, b"\n", at)
            at, remarks = (len(body) if end < 0 else end + 1), remarks + 1
        yield run, remarks


def _quickly(body: memoryview, layout: Layout) -> Lines | None:
    """All lines by Arrow; None where any is at fault."""
    if not len(body):
        return Lines(_empty(layout), 0)
    try:
        table = _arrow(body, layout)
        _check(table, layout)
    except (pa.ArrowInvalid, ValueError, OverflowError):
        return None
    return Lines(table, 0)


def _empty(layout: Layout) -> pa.Table:
    return pa.schema([(name, _TYPES[layout.wanted[name]]) for name in layout.read]).empty_table()


def _arrow(body: memoryview, layout: Layout) -> pa.Table:
    """The body by Arrow's reader; ArrowInvalid for what it cannot read."""
    return pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(body)),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, column_names=list(layout.columns), block_size=min(BLOCK, max(len(body), 1) + 1)
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=layout.separator, quote_char=False, escape_char=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: _TYPES[layout.wanted[name]] for name in layout.read},
            include_columns=layout.read,
            null_values=list(layout.nothing),
            strings_can_be_null=True,
            true_values=["T"],
            false_values=["F"],
        ),
    )


def _check(table: pa.Table, layout: Layout) -> None:
    """ValueError where a number is none of its kind."""
    for name in layout.read:
        kind = layout.wanted[name]
        if kind in (TIME, REAL):
            wrong = pc.invert(pc.is_finite(table[name]))
        elif kind in (WHOLE, PORT):
            wrong = pc.less(table[name], 0)
            if kind == PORT:
                wrong = pc.or_(wrong, pc.greater(table[name], 65_535))
        else:
            continue
        if pc.any(wrong).as_py():
            raise ValueError(name)


def _slowly(body: memoryview, layout: Layout, first_line: int) -> Lines:
    """The same, line by line."""
    good: list[list[str | None]] = []
    faults: list[Fault] = []
    for number, line in enumerate(_split(body), first_line):
        if line.strip(b"\r"):
            fields, fault = _fields(line, layout)
            if fault is None:
                good.append(fields)
            else:
                faults.append((number, *fault))
    return Lines(_columns(good, layout), 0, tuple(faults))


def _split(body: memoryview) -> Iterator[bytes]:
    data = bytes(body)
    yield from (data[:-1] if data.endswith(b"\n") else data).split(b"\n")


def _fields(line: bytes, layout: Layout) -> tuple[list[str | None], tuple[str, str] | None]:
    """The wanted fields of a line, or what is wrong with it."""
    try:
        texts = line.removesuffix(b"\r").decode().split(layout.separator)
    except UnicodeDecodeError as fault:
        return [], (f"byte 0x{line[fault.start]:02x} at place {fault.start + 1}", "UTF-8")
    if len(texts) != len(layout.columns):
        return [], (f"{len(texts)} columns", f"{len(layout.columns)}")
    found: list[str | None] = []
    for name, text in zip(layout.columns, texts, strict=True):
        if name not in layout.wanted:
            continue
        value = None if text in layout.nothing else text
        if value is not None and not _CHECKS[layout.wanted[name]](value):
            return [], (f"{text[:60]!r} in column {name}", f"a value of kind {layout.wanted[name]}")
        found.append(value)
    return found, None


def _columns(rows: list[list[str | None]], layout: Layout) -> pa.Table:
    table = _empty(layout)
    if not rows:
        return table
    columns = []
    for field, texts in zip(table.schema, zip(*rows, strict=True), strict=True):
        column = pa.array(texts, pa.string())
        if pa.types.is_boolean(field.type):
            columns.append(pc.equal(column, "T"))
        else:
            columns.append(column.cast(field.type))
    return pa.table(columns, schema=table.schema)
