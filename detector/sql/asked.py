"""Queries put to a locked process: what is wrong with them, and what they say of a telemetry."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

import detector.contract
from detector.contract import Finding, Telemetry, Unsupported
from detector.fenced import Ended, Failed, Limits, run, taken
from detector.signature import Signature
from detector.sql.query import Query

LIMITS = Limits(seconds=300.0, cpu_seconds=300)
#: Reading a rule is quick; one for which it is not, is no rule.
READING = Limits(seconds=60.0, cpu_seconds=30)
_HERE = Path(detector.contract.__file__).parent


def checked(queries: Sequence[Query], where: str, limits: Limits = READING) -> tuple[Query, ...]:
    """The queries with the tables that they read; LookupError with all that is wrong with them, after ``where``."""
    try:
        answers = _checked(json.dumps([query.to_json() for query in queries]), limits)
    except Failed as fault:
        raise LookupError(f"{where}: found SQL that cannot be read within {limits.seconds:g} s: {fault}") from None
    several = len(queries) > 1
    faults = [
        f"{where}: {f'{query.rule}: ' if several else ''}{fault}"
        for query, answer in zip(queries, answers, strict=True)
        for fault in answer["faults"]
    ]
    if faults:
        raise LookupError("\n".join(faults))
    return tuple(replace(query, tables=tuple(each["tables"])) for query, each in zip(queries, answers, strict=True))


def asked(queries: Sequence[Query], telemetry: Telemetry, by: Signature, limits: Limits = LIMITS) -> Sequence[Finding]:
    """What the queries say of the telemetry, by time of decision; Unsupported without a table that one reads.

    Failed where a statement fails, reaches a limit, or gives rows that are no findings.
    """
    for name in sorted({name for query in queries for name in query.needs}):
        if name not in telemetry:
            raise Unsupported(f"{by.name} reads the table {name}; this telemetry (view {telemetry.view}) has none")
    tables = sorted({name for query in queries for name in query.tables if name in telemetry})
    with tempfile.TemporaryDirectory(prefix="droidrange-sql-") as folder:
        for name in tables:
            _hand_over(telemetry.tables[name], Path(folder) / f"{name}.arrow")
        signed = {"detector": by.name, "detector_version": by.version, "partial": by.partial}
        job = {"action": "answer", "tables": tables, "signed": signed}
        ended = _run({**job, "queries": [query.to_json() for query in queries]}, Path(folder), limits)
    try:
        found = list(taken(ended.stdout.split(b"\n")))
    except Failed as fault:
        raise Failed(f"{by.name}: its result, {fault}") from None
    return sorted(found, key=_order)


def _order(one: Finding) -> tuple[Any, ...]:
    who = (one.device, -1 if one.uid is None else one.uid, one.package or "", one.peer or "")
    return one.decided_at, one.analytic, who, one.first_seen, one.last_seen, one.score, repr(one.reasons)


def _hand_over(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


@lru_cache(maxsize=64)
def _checked(queries: str, limits: Limits) -> Any:
    with tempfile.TemporaryDirectory(prefix="droidrange-sql-") as folder:
        job = {"action": "check", "tables": [], "signed": {}, "queries": json.loads(queries)}
        return json.loads(_run(job, Path(folder), limits).stdout)


def _run(job: dict[str, Any], folder: Path, limits: Limits) -> Ended:
    command = [sys.executable, "-I", "-m", "detector.sql.worker"]
    ended = run(command, folder=folder, reads=[_HERE], limits=limits, stdin=json.dumps(job).encode())
    if ended.code:
        raise Failed(f"the locked DuckDB ended with code {ended.code}: {ended.told}")
    return ended
