"""The lines of an EVE file by their event_type, so that only events that are read are ever parsed.

The word is looked for in the line as it stands: inside a JSON text its quotes would be escaped, and what is parsed
afterwards has to agree. A line without the word, or without its closing brace, is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import Int64
from detector.imports.delimited import Fault

_KIND = r'"event_type"\s*:\s*"(?P<kind>[\w-]+)"'
_END = r"\}\s*$"


@dataclass(frozen=True)
class EventLines:
    """Lines with their line ends, in order, and the kind of each; empty lines are none."""

    lines: pa.Array  # large_binary
    kinds: pa.Array  # null: no event
    number: Int64  # of each line in the file, from 1

    @classmethod
    def of(cls, body: memoryview) -> EventLines:
        """Those of a file's bytes."""
        data = np.frombuffer(body, np.uint8)
        ends = np.flatnonzero(data == ord("\n")) + 1
        if len(data) and (not len(ends) or ends[-1] != len(data)):
            ends = np.append(ends, len(data))
        offsets = np.concatenate(([0], ends)).astype(np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(body)]
        lines = pa.Array.from_buffers(pa.large_binary(), len(ends), buffers)
        filled = _filled(data, offsets)
        some = lines.filter(pa.array(filled)) if not filled.all() else lines
        kinds = pc.struct_field(pc.extract_regex(some, pattern=_KIND), "kind").cast(pa.string())
        return cls(some, kinds, np.flatnonzero(filled) + 1)

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def known(self) -> frozenset[str | None]:
        """The kinds there are."""
        return frozenset(pc.unique(self.kinds).to_pylist())

    def of_kind(self, kind: str) -> tuple[memoryview, Int64]:
        """The lines of one kind, one after another, and their numbers."""
        if kind not in self.known:
            return memoryview(b""), np.zeros(0, np.int64)
        mine = pc.fill_null(pc.equal(self.kinds, kind), False)
        chosen = self.lines.filter(mine)
        numbers = self.number[np.asarray(mine.to_numpy(zero_copy_only=False), np.bool_)]
        offsets = np.frombuffer(chosen.buffers()[1], np.int64)[chosen.offset : chosen.offset + len(chosen) + 1]
        return memoryview(chosen.buffers()[2])[int(offsets[0]) : int(offsets[-1])], numbers

    def others(self, read: tuple[str, ...]) -> tuple[dict[str, int], tuple[Fault, ...]]:
        """How many sound lines there are of each kind that is not read, and the faults among the rest."""
        unread = pc.invert(pc.is_in(self.kinds, value_set=pa.array(read)))
        lines, kinds = self.lines.filter(unread), self.kinds.filter(unread)
        numbers = self.number[np.asarray(unread.to_numpy(zero_copy_only=False), np.bool_)]
        sound = pc.and_(pc.is_valid(kinds), pc.match_substring_regex(lines, _END))
        counted: Any = kinds.filter(sound).value_counts().to_pylist()
        bad = np.flatnonzero(~np.asarray(sound.to_numpy(zero_copy_only=False), np.bool_))
        faults = [(int(numbers[k]), _shown(lines[int(k)].as_py()), "an event of EVE, whole") for k in bad]
        return {row["values"]: row["counts"] for row in counted}, tuple(faults)


def _filled(data: Any, offsets: Int64) -> Any:
    """(n,) whether each line has more than its end."""
    if len(offsets) < 2:
        return np.zeros(0, np.bool_)
    last = offsets[1:] - 1
    length = np.diff(offsets) - (data[last] == ord("\n"))
    return (length > 1) | ((length == 1) & (data[offsets[:-1]] != ord("\r")))


def _shown(line: bytes) -> str:
    return f"{line[:40].decode('utf-8', 'replace')!r}..."
