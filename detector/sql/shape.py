"""What a statement is before it is run: one SELECT, over which tables, with which parameters and functions.

DuckDB's own parser gives the tree. Whatever is not known here to be harmless is refused: the lock would refuse most of
it too, later and in fewer words. Functions whose answer changes from call to call are refused because two runs of a
detector must agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import duckdb

from detector.contract import SCHEMAS

LONGEST = 100_000  # characters
#: Nodes of queries that only read; those of INSERT, UPDATE, DELETE in a WITH are no part of it.
READING = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "VALUES_NODE"})
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
#: Words that are functions without parentheses (SQL:2016, niladic), in DuckDB's spelling.
CLOCKS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
Tree = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """The tables a statement reads and the parameters it takes."""

    tables: tuple[str, ...]
    parameters: tuple[str, ...]


def shape(text: str, connection: duckdb.DuckDBPyConnection) -> Shape:
    """The shape of a rule's statement; ValueError with everything that is wrong with it, a line each."""
    if len(text) > LONGEST:
        raise ValueError(f"found {len(text):,} characters, expected at most {LONGEST:,}")
    try:
        kinds = [one.type.name for one in connection.extract_statements(text)]
    except duckdb.Error as fault:
        raise ValueError(f"found no SQL that DuckDB can parse: {told(fault)}") from None
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        raise ValueError(f"found {found}, expected one statement, a SELECT or WITH ... SELECT")
    said = connection.execute("SELECT json_serialize_sql($1)", [text]).fetchone()
    tree = json.loads(said[0]) if said else {"error": True}
    if tree.get("error"):
        raise ValueError(f"found {tree.get('error_message')}, expected a plain SELECT")
    parts = list(_parts(tree))
    faults = list(dict.fromkeys([*_queries(parts), *_sources(parts), *_functions(parts, _changing(connection))]))
    if faults:
        raise ValueError("\n".join(faults))
    tables = {one["table_name"].lower() for one in parts if one.get("type") == "BASE_TABLE"} & set(SCHEMAS)
    parameters = {one["identifier"] for one in parts if one.get("type") == "VALUE_PARAMETER"}
    return Shape(tuple(sorted(tables)), tuple(sorted(parameters)))


def told(fault: Exception) -> str:
    """What DuckDB says, in one line."""
    return " ".join(str(fault).split())


def _parts(tree: Any) -> Iterator[Tree]:
    """Every object of the tree, without recursion: a hostile one may be deep."""
    left = [tree]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += one.values()
        elif isinstance(one, list):
            left += one


def _queries(parts: list[Tree]) -> Iterator[str]:
    for one in parts:
        kind = one.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in READING:
            yield f"found {kind.removesuffix('_NODE').removesuffix('_QUERY')}, expected statements that only read"


def _sources(parts: list[Tree]) -> Iterator[str]:
    """What stands where a table may, and is none of ours."""
    named = {one["key"].lower() for one in parts if isinstance(one.get("key"), str)}
    for one in parts:
        kind = one.get("type")
        if isinstance(one.get("sample"), dict):
            yield "found a sample of a table, expected all of it: two runs must agree"
        if kind == "SHOW_REF":
            yield "found SHOW, DESCRIBE or SUMMARIZE, expected a SELECT of findings"
        elif kind == "TABLE_FUNCTION":
            name = str(one.get("function", {}).get("function_name")).lower()
            if name not in TABLE_FUNCTIONS:
                expected = f"a table, or one of {', '.join(sorted(TABLE_FUNCTIONS))}"
                yield f"found the table function {name}, expected {expected}: a rule has no files and no network"
        elif kind == "BASE_TABLE":
            name = str(one.get("table_name"))
            whole = ".".join(part for part in (one.get("catalog_name"), one.get("schema_name"), name) if part)
            if whole.lower() not in named and whole.lower() not in SCHEMAS:
                near = get_close_matches(whole.lower(), SCHEMAS, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                yield f"found the table '{whole}', expected one of {', '.join(SCHEMAS)}{hint}"


def _functions(parts: list[Tree], changing: frozenset[str]) -> Iterator[str]:
    for one in parts:
        name = str(one.get("function_name", "")).lower()
        columns = one.get("column_names")
        if one.get("type") == "COLUMN_REF" and isinstance(columns, list) and len(columns) == 1:
            name = str(columns[0]).lower()
            name = name if name in CLOCKS else ""
        if name in changing or name in CLOCKS:
            yield f"found the function {name}, expected none that answers otherwise each time: two runs must agree"


def _changing(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    asked = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    return frozenset(name for (name,) in connection.execute(asked).fetchall())
