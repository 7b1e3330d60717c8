"""Zeek's ASCII logs: a header that names separator, columns and what stands for nothing, then lines.

Format as written by zeek's src/logging/writers/ascii (from memory) and by real logs. Logs that were put one behind the
other have several headers and are read section by section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.delimited import Layout, read_lines
from detector.imports.opened import Opened
from detector.imports.zeek_kinds import KINDS

_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")


@dataclass(frozen=True)
class _Section:
    """One header and where its lines are."""

    header: dict[str, str]
    start: int
    stop: int
    lines: int  # of the header


def read_text(log: Opened, account: Account, faults: Faults) -> list[tuple[str, pa.Table]]:
    """(kind, columns) of every section of a log; lists are texts joined by commas."""
    found: list[tuple[str, pa.Table]] = []
    with memoryview(log.data) as data:
        for section in _sections(log):
            first = log.lines_before(section.start) + 1
            account.lines += section.lines
            account.leave("remarks", section.lines)
            body = data[section.start : section.stop]
            kind, columns = section.header.get("path"), section.header.get("fields", "").split("\t")
            if kind is None or kind not in KINDS:
                count = bytes(body).count(b"\n") + (not bytes(body[-1:]).endswith(b"\n") and len(body) > 0)
                account.lines += count
                account.leave(f"lines of {kind or 'a nameless'}.log", count)
                continue
            missing = [name for name in ("ts", "uid", "id.orig_h", "id.resp_h") if name not in columns]
            if missing:
                faults.add(f"{log.path}, line {first - 1}", "no column " + ", ".join(missing), f"those of {kind}.log")
                continue
            read = read_lines(body, _layout(section.header, columns, kind), first)
            account.lines += read.count
            account.leave("remarks", read.remarks)
            account.leave("unreadable", len(read.faults))
            if read.faults:
                faults.many(str(log.path), read.faults[0], len(read.faults))
            found.append((kind, _plain(read.table)))
            body.release()
    return found


def _layout(header: dict[str, str], columns: list[str], kind: str) -> Layout:
    nothing = (header.get("unset_field", "-"), header.get("empty_field", "(empty)"))
    return Layout(columns, KINDS[kind], header["separator"], nothing)


def _sections(log: Opened) -> Iterator[_Section]:
    """The sections of a log, told by their #fields."""
    at, data = 0, log.data
    while at < len(data):
        header, lines, start = _header(log, at)
        stop = _next_header(log, start)
        yield _Section(header, start, stop, lines)
        at = stop


def _header(log: Opened, at: int) -> tuple[dict[str, str], int, int]:
    """What the lines from there on that begin with # say, how many they are, and where they end."""
    header, lines, separator = {"separator": "\t"}, 0, "\t"
    while log.data[at : at + 1] == b"#":
        end = log.data.find(b"\n", at)
        end = len(log.data) if end < 0 else end
        line = log.data[at:end].decode("utf-8", "replace").rstrip("\r")
        lines += 1
        at = min(end + 1, len(log.data))
        if line.startswith("#separator "):
            separator = unescaped(line.removeprefix("#separator ").strip())
            header["separator"] = separator
            continue
        key, _, value = line[1:].partition(separator)
        header[key] = value.replace(separator, "\t") if key in ("fields", "types") else value
        if key == "types":
            break
    return header, lines, at


def _next_header(log: Opened, start: int) -> int:
    """Where the next header begins; the end of the file where there is none."""
    found = [log.data.find(mark, max(start - 1, 0)) for mark in (b"\n#separator", b"\n#fields")]
    places = [place + 1 for place in found if place >= 0]
    return min(places, default=len(log.data))


def unescaped(text: str) -> str:
    r"""A text in which Zeek wrote bytes as \\xHH.

    >>> unescaped("a\\x2cb")
    'a,b'
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _plain(table: pa.Table) -> pa.Table:
    """The texts without Zeek's escapes; in lists commas stay escaped, as they are no separators."""
    for place, field in enumerate(table.schema):
        column = table[field.name]
        if field.type != pa.string() or not pc.any(pc.match_substring(column, "\\x")).as_py():
            continue
        values = column.combine_chunks().dictionary_encode()
        chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
        plain = [
            pa.DictionaryArray.from_arrays(
                one.indices, pa.array([_unescaped(field.name, text) for text in one.dictionary.to_pylist()])
            ).cast(pa.string())
            for one in chunks
        ]
        table = table.set_column(place, field, pa.chunked_array(plain, pa.string()))
    return table


def _unescaped(column: str, text: str) -> str:
    return text if column == "answers" else unescaped(text)
