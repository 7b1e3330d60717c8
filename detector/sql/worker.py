"""The process in which statements are read and run; it sees tables in its working folder, and nothing of importance.

``python -I -m detector.sql.worker`` with a job as JSON on stdin: {"action": "check" or "answer", "queries": [...],
"tables": [names of NAME.arrow], "signed": {...}}. ``check`` answers with a JSON object; ``answer`` with findings as
JSON lines. Exit code 4: a statement failed, in one line on stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from detector.contract import SCHEMAS
from detector.sql.columns import column_faults, finding_row, rows
from detector.sql.locked import locked
from detector.sql.query import Query
from detector.sql.shape import shape, told

AT_ONCE = 4096  # rows of a result in hand
STATEMENT_FAILED = 4


def main() -> None:
    """Does the job on stdin."""
    job = json.load(sys.stdin)
    queries = [Query.from_json(row) for row in job["queries"]]
    if job["action"] == "check":
        print(json.dumps([checked(query) for query in queries]))  # noqa: T201 - it answers there
        return
    given = {name: read(Path(f"{name}.arrow")) for name in job["tables"]}
    for query in queries:
        tables = {name: given[name] if name in given else SCHEMAS[name].empty_table() for name in query.tables}
        try:
            for row in answered(query, tables):
                sys.stdout.write(json.dumps({**row, **job["signed"]}) + "\n")
        except (duckdb.Error, pa.ArrowException) as fault:
            print(f"{query.rule}: {told(fault)}", file=sys.stderr)  # noqa: T201 - it answers there
            sys.exit(STATEMENT_FAILED)


def read(path: Path) -> pa.Table:
    """A table that was handed over, mapped into memory."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def checked(query: Query) -> dict[str, Any]:
    """The tables a statement reads, and everything that is wrong with it, found out without a row of data."""
    connection = locked({name: schema.empty_table() for name, schema in SCHEMAS.items()})
    try:
        found = shape(query.text, connection)
    except ValueError as fault:
        return {"tables": [], "faults": str(fault).split("\n")}
    faults = [
        f"found ${name}, expected it declared: -- droidrange: parameter {name} VALUE"
        for name in found.parameters
        if name not in query.parameters
    ]
    faults += [f"found no ${name} in the statement, but it is declared" for name in _unused(query, found.parameters)]
    if not faults:
        try:
            columns: list[Any] = connection.execute(f"DESCRIBE {query.text}", dict(query.parameters) or None).fetchall()
            faults = list(column_faults([(row[0], row[1]) for row in columns], query.measure))
        except duckdb.Error as fault:
            faults = [told(fault)]
    return {"tables": list(found.tables), "faults": faults}


def _unused(query: Query, used: tuple[str, ...]) -> list[str]:
    return [name for name in query.parameters if name not in used]


def answered(query: Query, tables: dict[str, pa.Table]) -> Iterator[dict[str, Any]]:
    """What the statement says of these tables, as objects of findings.jsonl that nobody has signed."""
    connection = locked(tables)
    reader: Any = connection.sql(query.text, params=dict(query.parameters) or None).to_arrow_reader(AT_ONCE)
    for batch in reader:
        for row in rows(batch):
            yield finding_row(row, query.rule, query.analytic, query.measure)


if __name__ == "__main__":
    main()
