"""Rules that mean harm, in SQL: refused when read, refused by the lock alone, and each does its harm with the lock off."""

from __future__ import annotations

import socket
import threading

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.contract import SCHEMAS
from detector.sql.locked import CONFIGURATION, locked
from detector.sql.shape import shape

SECRET = "the answer: phone-07"
READS = {
    "read_text": "SELECT content FROM read_text('{text}')",
    "read_blob": "SELECT decode(content) FROM read_blob('{text}')",
    "read_csv": "SELECT * FROM read_csv('{csv}', header = false)",
    "read_csv_auto": "SELECT * FROM read_csv_auto('{csv}', header = false)",
    "read_json": "SELECT * FROM read_json('{json}')",
    "read_json_objects": "SELECT CAST(json AS VARCHAR) FROM read_json_objects('{json}')",
    "read_ndjson": "SELECT * FROM read_ndjson('{json}')",
    "read_parquet": "SELECT * FROM read_parquet('{parquet}')",
    "parquet_metadata": "SELECT stats_max_value FROM parquet_metadata('{parquet}')",
    "bare_path": "SELECT * FROM '{parquet}'",
    "bare_path_from_first": "FROM '{parquet}'",
    "glob": "SELECT file || '{secret}' FROM glob('{folder}/*')",
    "sniff_csv": "SELECT Columns, '{secret}' FROM sniff_csv('{csv}')",
    "scalar_subquery": "SELECT (SELECT content FROM read_text('{text}'))",
    "in_where": "SELECT '{secret}' WHERE EXISTS (SELECT 1 FROM read_text('{text}') WHERE content LIKE 'the%')",
    "in_union": "SELECT 'x' AS content UNION ALL SELECT content FROM read_text('{text}')",
    "in_with": "WITH t AS (SELECT content FROM read_text('{text}')) SELECT * FROM t",
    "in_recursion": "WITH RECURSIVE t AS (SELECT content FROM read_text('{text}') UNION SELECT * FROM t) SELECT * FROM t",
    "in_lateral": "SELECT t.content FROM (VALUES (1)) v(x), LATERAL (SELECT content FROM read_text('{text}')) t",
    "named_like_a_cte": "WITH flows AS (SELECT * FROM '{parquet}') SELECT * FROM flows",
    "query": "SELECT * FROM query('SELECT content FROM read_text(''{text}'')')",
    "query_table": "SELECT * FROM query_table(['{parquet}'])",
    "variable_of_python": "SELECT * FROM variable_of_python",
}
WRITES = {
    "copy": "COPY (SELECT 'x') TO '{folder}/planted'",
    "copy_parquet": "COPY (SELECT 'x') TO '{folder}/planted' (FORMAT parquet)",
    "copy_after_select": "SELECT 1; COPY (SELECT 'x') TO '{folder}/planted'",
    "copy_after_comment": "SELECT 1 -- nothing\n; COPY (SELECT 'x') TO '{folder}/planted'",
    "export": "EXPORT DATABASE '{folder}/planted'",
    "attach": "ATTACH '{folder}/planted'; CREATE TABLE planted.t AS SELECT 1",
    "attach_over": "ATTACH '{folder}/planted' AS flows; CREATE TABLE flows.t AS SELECT 1",
}
SETTINGS = {
    "set_threads": "SET threads = 8",
    "set_memory": "SET memory_limit = '64GB'",
    "reset_memory": "RESET memory_limit",
    "pragma_threads": "PRAGMA threads = 8",
    "set_access": "SET enable_external_access = true",
    "set_lock": "SET lock_configuration = false",
    "set_temporary": "SET temp_directory = '{folder}'",
    "set_home": "SET home_directory = '{folder}'",
    "set_python": "SET python_enable_replacements = true",
    "set_autoload": "SET autoload_known_extensions = true",
    "set_in_two": "SELECT 1; SET threads = 8",
}
#: Harmless to others behind the fence, and no rule all the same: refused when read.
NO_QUERIES = {
    "create": "CREATE TABLE t AS SELECT 1",
    "create_secret": "CREATE SECRET (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "create_macro": "CREATE MACRO flows() AS TABLE SELECT 1",
    "insert": "INSERT INTO flows SELECT * FROM flows",
    "delete": "DELETE FROM flows",
    "delete_in_with": "WITH gone AS (DELETE FROM flows RETURNING *) SELECT * FROM gone",
    "drop": "DROP VIEW flows",
    "begin": "BEGIN TRANSACTION",
    "checkpoint": "CHECKPOINT",
    "explain": "EXPLAIN ANALYZE SELECT 1",
    "prepare": "PREPARE p AS SELECT 1",
    "load": "LOAD httpfs",
    "call": "CALL pragma_version()",
    "settings": "SELECT * FROM duckdb_settings()",
    "catalog": "SELECT * FROM information_schema.tables",
    "describe": "DESCRIBE flows",
    "getenv": "SELECT getenv('PATH') AS device FROM pragma_version()",
    "arrow_scan": "SELECT * FROM arrow_scan(1, 2, 3)",
    "sleep": "SELECT sleep_ms(1000000)",
    "clock": "SELECT now()",
    "clock_without_parentheses": "SELECT current_timestamp",
    "dice": "SELECT random()",
    "sample": "SELECT * FROM flows USING SAMPLE 10",
    "nothing": "",
    "no_sql": "lorem ipsum",
}
HARMS = {**READS, **WRITES, **SETTINGS, **NO_QUERIES}


@pytest.fixture
def places(tmp_path):
    """What is worth stealing, and where something could be planted."""
    secret = {name: tmp_path / f"secret.{name}" for name in ("text", "csv", "json", "parquet")}
    secret["text"].write_text(SECRET)
    secret["csv"].write_text(f"{SECRET}\n")
    secret["json"].write_text(f'{{"a": "{SECRET}"}}\n')
    pq.write_table(pa.table({"a": [SECRET]}), secret["parquet"])
    return {name: str(path) for name, path in secret.items()} | {"folder": str(tmp_path), "secret": SECRET}


def empty():
    return {name: schema.empty_table() for name, schema in SCHEMAS.items()}


def shown(connection, text) -> str:
    """All that a text makes DuckDB say, statement by statement, as a worker without checks would."""
    variable_of_python = pa.table({"a": [SECRET]})
    assert len(variable_of_python) == 1
    said = ""
    for one in connection.extract_statements(text):  # no comprehension: DuckDB looks at the variables of its caller
        said += str(connection.execute(one).fetchall())
    return said


@pytest.fixture(scope="module")
def closed():
    """One locked connection for all: nothing that it is asked may change it."""
    return locked(empty())


@pytest.mark.parametrize("name", HARMS)
def test_it_is_refused_when_it_is_read(closed, places, name, tmp_path):
    with pytest.raises(ValueError, match=r"found .*expected|found no SQL"):
        shape(HARMS[name].format(**places), closed)
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("name", {**READS, **WRITES, **SETTINGS})
def test_the_lock_alone_refuses_it_too(closed, places, name, tmp_path):
    with pytest.raises(duckdb.Error):
        shown(closed, HARMS[name].format(**places))
    assert not (tmp_path / "planted").exists()
    for setting, value in CONFIGURATION.items():
        now = closed.execute("SELECT current_setting($1)", [setting]).fetchone()[0]
        assert now == {"false": False, "1024MiB": "1.0 GiB", "1": 1}.get(value, value), setting


@pytest.mark.parametrize("name", READS)
def test_with_the_lock_off_it_reads_the_answer(places, name):
    assert SECRET in shown(duckdb.connect(), READS[name].format(**places))


@pytest.mark.parametrize("name", WRITES)
def test_with_the_lock_off_it_plants_a_file(places, name, tmp_path):
    with duckdb.connect() as connection:
        shown(connection, WRITES[name].format(**places))
    assert (tmp_path / "planted").exists()


@pytest.mark.parametrize(
    "name", [one for one in SETTINGS if one != "set_access"]
)  # open from the start: it cannot be again
def test_with_the_lock_off_it_changes_the_settings(places, name):
    shown(duckdb.connect(), SETTINGS[name].format(**places))


class Listening:
    """Whoever comes to a port of this machine, counted, and sent away."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.came = 0
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        while True:
            try:
                visitor, _ = self.server.accept()
            except OSError:
                return
            self.came += 1
            visitor.close()


@pytest.fixture
def listening():
    here = Listening()
    yield here
    here.server.close()


CALLS = {
    "install_from": "INSTALL harm FROM 'http://127.0.0.1:{port}'",
    "force_install": "FORCE INSTALL harm FROM 'http://127.0.0.1:{port}/x'",
    "load_url": "INSTALL 'http://127.0.0.1:{port}/v1/harm.duckdb_extension'",
}


@pytest.mark.parametrize("name", CALLS)
def test_it_calls_nobody_and_would_with_the_lock_off(closed, listening, name, tmp_path):
    text = CALLS[name].format(port=listening.port)
    with pytest.raises(ValueError, match="expected one statement, a SELECT"):
        shape(text, closed)
    with pytest.raises(duckdb.Error):
        shown(closed, text)
    assert listening.came == 0
    with pytest.raises(duckdb.Error):
        shown(duckdb.connect(config={"extension_directory": str(tmp_path)}), text)
    assert listening.came > 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM 'http://127.0.0.1:{port}/x.parquet'",
        "SELECT * FROM read_csv('http://127.0.0.1:{port}/x.csv')",
        "SELECT * FROM read_text('s3://bucket/x')",
    ],
)
def test_it_reads_no_addresses(closed, listening, text):
    said = text.format(port=listening.port)
    with pytest.raises(ValueError, match="expected"):
        shape(said, closed)
    with pytest.raises(duckdb.Error):
        shown(closed, said)
    assert listening.came == 0


def test_there_are_enough_of_them():
    assert len(HARMS) + len(CALLS) >= 60
