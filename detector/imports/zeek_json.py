"""Zeek's logs as JSON, one object a line: one log a file, or all of them in one stream that names each (``_path``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.moments import seconds_of
from detector.imports.objects import read_objects
from detector.imports.opened import HEAD, Opened
from detector.imports.zeek_kinds import KINDS, json_name, json_schema, kind_of

PATHS = ("_path", "@stream")
_SAMPLES = 100  # lines that are looked at to tell which log it is


def read_json(log: Opened, account: Account, faults: Faults) -> list[tuple[str, pa.Table]]:
    """(kind, columns) of every log in the file, named as in KINDS; lists are lists of text."""
    with memoryview(log.data) as body:
        samples = _samples(log)
        path = next((key for key in PATHS if samples and key in samples[0]), None)
        kinds = [kind for sample in samples if (kind := kind_of(sample)) is not None and kind in KINDS]
        first = _read(body, kinds[0] if kinds else "conn", samples, path)
        account.lines = first.count
        account.leave("unreadable", len(first.faults))
        if first.faults:
            faults.many(str(log.path), first.faults[0], len(first.faults))
        if not kinds:
            account.leave("lines of logs that are not read", first.table.num_rows)
            return []
        if path is None:
            return [(kinds[0], _named(first.table, kinds[0], samples[0]))]
        return _apart(body, first.table, samples, path, account)


def _apart(
    body: memoryview, first: pa.Table, samples: list[Mapping[str, Any]], path: str, account: Account
) -> list[tuple[str, pa.Table]]:
    """The logs of a stream, each read with its own columns."""
    found = []
    for row in first[path].value_counts().to_pylist():
        kind = row["values"]
        if kind not in KINDS:
            account.leave(f"lines of {kind or 'a nameless'}.log", row["counts"])
            continue
        table = _read(body, kind, samples, path).table
        sample = next((one for one in samples if one.get(path) == kind), samples[0])
        found.append((kind, _named(table.filter(pc.equal(table[path], kind)), kind, sample)))
    return found


def _read(body: memoryview, kind: str, samples: list[Mapping[str, Any]], path: str | None) -> Any:
    schema = json_schema(kind, samples[0] if samples else {})
    return read_objects(body, schema if path is None else schema.append(pa.field(path, pa.string())), 1)


def _samples(log: Opened) -> list[Mapping[str, Any]]:
    """Some of the first lines that can be read."""
    found: list[Mapping[str, Any]] = []
    for line in bytes(log.data[:HEAD]).split(b"\n")[:_SAMPLES]:
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(one, dict):
            found.append(one)
    return found


def _named(table: pa.Table, kind: str, sample: Mapping[str, Any]) -> pa.Table:
    """The columns as Zeek's own scripts name them; times in seconds."""
    columns = {name: table[json_name(name, sample)] for name in KINDS[kind]}
    columns["ts"] = seconds_of(columns["ts"])
    return pa.table(columns)
