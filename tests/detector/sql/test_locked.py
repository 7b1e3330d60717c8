"""The locked DuckDB: what it shows and what it is set to; what it refuses is in test_hostile_rules.py."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from detector.sql.locked import locked


def test_tables_have_their_names_and_nothing_is_copied_wrongly():
    connection = locked({"flows": pa.table({"a": [1, None, 3], "l": [["x"], None, []]})})
    assert connection.execute("SELECT a, l FROM flows").fetchall() == [(1, ["x"]), (None, None), (3, [])]


def test_two_of_them_know_nothing_of_each_other():
    locked({"flows": pa.table({"a": [1]})})
    with pytest.raises(duckdb.CatalogException):
        locked({}).execute("SELECT * FROM flows")


def test_a_query_that_needs_more_memory_fails_and_spills_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.OutOfMemoryException):
        locked({}).execute("SELECT count(*) FROM (SELECT DISTINCT md5(range::VARCHAR) FROM range(60000000))")
    assert list(tmp_path.iterdir()) == []
