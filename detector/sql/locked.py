"""A DuckDB that sees tables and nothing else: no files, network, extensions, settings, or variables of Python.

Rule: nothing may be opened to a statement here. What DuckDB itself cannot hold back (processor time, memory that its
limit does not count) is held by the process it runs in (detector/fenced). Settings: DuckDB's "Securing DuckDB" page,
from memory; that each does what it says is tested.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

#: Whole MiB that DuckDB may hold before a query fails; nothing is spilled to disk.
MEMORY_MIB = 1024
#: One thread: sums of fractions and ``first`` come out the same each time.
CONFIGURATION: Mapping[str, str] = {
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": f"{MEMORY_MIB}MiB",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "1",
}
LOCKS = ("SET enable_external_access = false", "SET lock_configuration = true")


def locked(tables: Mapping[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """A connection in which each table has its name, and whose settings cannot be changed any more."""
    connection = duckdb.connect(":memory:", config=dict(CONFIGURATION))
    for name, table in tables.items():
        connection.register(name, table)
    for lock in LOCKS:
        connection.execute(lock)
    return connection
