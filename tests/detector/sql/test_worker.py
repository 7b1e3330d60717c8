"""What the worker says of statements and tables, asked without a process around it; that is asked.py's test."""

from __future__ import annotations

import io
import json
import warnings

import duckdb
import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Finding
from detector.sql import worker
from detector.sql.query import Query

TEXT = """SELECT device, uid, package, server AS peer, min(start) AS first_seen, max(start) AS last_seen,
  max(start) AS decided_at, least(1, count(*) / $most) AS score, count(*) > $least AS alert, count(*) AS least
FROM flows GROUP BY ALL"""


def query(text=TEXT, **parameters):
    return Query("many", text, "AN1793", parameters or {"most": 4, "least": 1}, "least")


def flows(*starts):
    rows = [
        dict.fromkeys(SCHEMAS["flows"].names) | {"flow": at, "device": "d", "server": "s", "start": at} for at in starts
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["flows"])


def test_a_sound_statement_has_no_fault_and_names_its_tables():
    assert worker.checked(query()) == {"tables": ["flows"], "faults": []}


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (query(TEXT, most=1), "found $least, expected it declared: -- droidrange: parameter least VALUE"),
        (query(TEXT, most=1, least=1, more=1), "found no $more in the statement, but it is declared"),
        (query(TEXT.replace("server AS peer", "sever AS peer")), "sever"),
        (query(TEXT.replace("uid,", "")), "found no column 'uid', expected one of type BIGINT"),
        (query(TEXT.replace("uid,", "package AS uid,")), "column 'uid': found type VARCHAR, expected BIGINT"),
        (query("SELECT $most + $least"), "found no column 'device', expected one of type VARCHAR"),
    ],
)
def test_a_fault_says_what_was_expected(one, fault):
    assert fault in worker.checked(one)["faults"][0]


def test_rows_are_answers():
    (row,) = worker.answered(query(), {"flows": flows(1, 2, 3)})
    one = Finding.from_json({**row, "detector": "sql:x", "detector_version": "1"})
    assert (one.device, one.peer, one.score, one.alert, one.first_seen, one.last_seen) == ("d", "s", 0.75, True, 1, 3)
    assert one.reasons[-1].value == 3


def said(monkeypatch, capsys, job):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(job)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        worker.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_reads_its_folder_and_answers_in_lines(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = flows(1, 2)
    with pa.OSFile("flows.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    one = {**query().to_json(), "tables": ["flows"]}
    job = {"action": "answer", "queries": [one], "tables": ["flows"], "signed": {"detector": "x"}}
    (line,) = said(monkeypatch, capsys, job)
    assert line["detector"] == "x"
    assert line["alert"] is True


def test_a_table_that_was_not_given_has_no_rows(monkeypatch, capsys):
    one = {**query().to_json(), "tables": ["flows"], "optional": ["flows"]}
    assert said(monkeypatch, capsys, {"action": "answer", "queries": [one], "tables": [], "signed": {}}) == []


def test_a_statement_that_fails_ends_with_its_own_code(monkeypatch, capsys):
    one = {**query("SELECT error('out of luck') AS device").to_json(), "parameters": {}}
    with pytest.raises(SystemExit) as left:
        said(monkeypatch, capsys, {"action": "answer", "queries": [one], "tables": [], "signed": {}})
    assert left.value.code == worker.STATEMENT_FAILED
    assert capsys.readouterr().err.startswith("many: Invalid Input Error: out of luck")


def test_duckdb_is_one_whose_parser_gives_trees():
    assert int(duckdb.__version__.split(".")[0]) >= 2
