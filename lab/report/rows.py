"""A scorecard as one table for CSV and Parquet: a row for each incident x trial, each false alarm, each unscored trial.

``record`` says which of the three a row is; what a record has not is empty. Controls are in it. False alarms are those
the scorecard lists: at most LISTED_AT_MOST of a detector, view and analytic, the highest scores.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lab.report.cases import Again
from lab.report.escaping import csv_cell
from lab.report.telling import in_a_line, telling
from lab.report.words import plain

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
#: Every column and what it holds; ``settings`` is JSON text, times are RFC 3339, UTC.
COLUMNS: Mapping[str, type] = {
    **dict.fromkeys(("record", "suite", "scenario"), str),
    "seed": int,
    **dict.fromkeys(("stage", "view", "detector"), str),
    "held_out": bool,
    **dict.fromkeys(("analytic", "incident", "behaviour", "twin_of", "device", "package", "category"), str),
    "verdict": str,  # detected, missed, unseen; of an alarm benign, cross, extra; of a trial its status
    "score": float,
    **dict.fromkeys(("severity", "peer", "start", "end", "decided_at"), str),
    "contacts": int,
    "time_to_detect_s": float,
    "contacts_to_detect": int,
    "duplicates": int,
    **dict.fromkeys(("settings", "reasons", "command"), str),
}


def rows(card: Row, again: Again) -> Iterator[dict[str, Any]]:
    """The rows, each with every column, None where it has nothing to say."""
    import json

    settings = {_place(row): json.dumps(row["settings"], sort_keys=True) for row in card["played"]}
    for row in card["incidents"]:
        yield _row(card, row, "incident", again, settings=settings.get(_place(row)))
    for row in card["false_alarms"]:
        yield _row(card, row, "false_alarm", again, verdict=row["kind"])
    for row in card["unscored"]:
        yield _row(card, row, "trial", again, verdict=row["status"], reasons=row["reason"])


def as_csv(card: Row, again: Again) -> bytes:
    """RFC 4180, UTF-8, LF; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS], lineterminator="\n")
    writer.writeheader()
    for row in rows(card, again):
        writer.writerow({name: csv_cell(value) if isinstance(value, str) else value for name, value in row.items()})
    return out.getvalue().encode()


def table(card: Row, again: Again) -> pa.Table:
    """The same as an Arrow table of typed columns; texts are as they are, but for what is no character."""
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    found = list(rows(card, again))
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    return pa.table(
        {name: pa.array([_plain(row[name]) for row in found], kinds[kind]) for name, kind in COLUMNS.items()},
        schema=schema,
    )


def as_parquet(card: Row, again: Again) -> bytes:
    """That table as a Parquet file; the same scorecard gives the same bytes."""
    from lab.parquet import parquet_writer

    made, sink = table(card, again), io.BytesIO()
    with parquet_writer(sink, made.schema) as writer:
        writer.write_table(made)
    return sink.getvalue()


def _row(card: Row, row: Row, record: str, again: Again, **more: Any) -> dict[str, Any]:
    told = [in_a_line(reason) for reason in telling(row.get("reasons") or ())]
    whole = {**row, "record": record, "suite": card["suite"], "command": again(row, card), "reasons": "; ".join(told)}
    whole |= more
    return {name: whole.get(name) for name in COLUMNS}


def _place(row: Row) -> tuple[Any, ...]:
    return row["scenario"], row["seed"], row["stage"], row["incident"]


def _plain(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value
