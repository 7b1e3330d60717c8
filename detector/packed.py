"""The flows of a telemetry with each text told once: columns of texts as dictionaries, one for all rows of a column.

Encoding texts is much of the work on many flows, and every reader would do it again. What is told does not change.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from detector.contract import Telemetry


def packed(telemetry: Telemetry) -> Telemetry:
    """The same telemetry, its flows packed; as it is where it has none."""
    if "flows" not in telemetry:
        return telemetry
    flows = telemetry["flows"]
    texts = pa.table({name: encoded(flows[name]) for name in flows.column_names})
    return replace(telemetry, tables={**telemetry.tables, "flows": texts})


def encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of texts as one dictionary and codes, texts in the order they appear in; any other column as it is."""
    return column.dictionary_encode().unify_dictionaries() if pa.types.is_string(column.type) else column


def plain(table: pa.Table) -> pa.Table:
    """The same table without dictionaries.

    >>> plain(pa.table({"device": encoded(pa.chunked_array([["a", "b", "a"]]))}))["device"].to_pylist()
    ['a', 'b', 'a']
    """
    return pa.table({name: _decoded(table[name]) for name in table.column_names})


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
