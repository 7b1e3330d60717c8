"""The table: a row for each incident x trial, false alarm and unscored trial, the same in CSV and Parquet."""

import csv
import io
import json

import pyarrow.parquet as pq

from lab.report.escaping import FORMULA
from lab.report.rows import COLUMNS, as_csv, as_parquet, rows


def lines(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_each_row_once(exports):
    card = exports.card()
    found = list(rows(card, exports.again))
    counts = {name: sum(row["record"] == name for row in found) for name in ("incident", "false_alarm", "trial")}
    assert counts == {
        "incident": len(card["incidents"]),
        "false_alarm": len(card["false_alarms"]),
        "trial": len(card["unscored"]),
    }
    assert all(list(row) == list(COLUMNS) for row in found)


def test_a_row_says_what_the_scorecard_says(exports):
    first = next(rows(exports.card(), exports.again))
    assert (first["verdict"], first["score"], first["reasons"]) == (
        "missed",
        0.4,
        "period_s 300 (no one period): equal gaps",
    )
    assert json.loads(first["settings"]) == {"jitter": 0.0, "period": 30.0}
    assert first["command"].startswith("droidrange run specimen-00 --seed 1 ")
    trials = [row for row in rows(exports.card(), exports.again) if row["record"] == "trial"]
    assert [(row["scenario"], row["verdict"], row["reasons"]) for row in trials] == [
        ("specimen-01", "failed", "crashed"),
        ("specimen-02", "unsupported", "no sockets"),
        ("specimen-05", "failed", "recording lost"),
    ]


def test_csv_and_parquet_are_one_table(exports):
    card = exports.card()
    table = pq.read_table(io.BytesIO(as_parquet(card, exports.again)))
    told = lines(as_csv(card, exports.again))
    assert table.column_names == list(COLUMNS)
    assert [row["incident"] or None for row in told] == table["incident"].to_pylist()
    assert [row["score"] for row in told] == ["" if one is None else str(one) for one in table["score"].to_pylist()]
    assert str(table.schema.field("seed").type) == "int64"


def test_an_empty_table_has_its_columns(exports):
    card = {**exports.clean(), "incidents": []}
    assert lines(as_csv(card, exports.again)) == []
    assert pq.read_table(io.BytesIO(as_parquet(card, exports.again))).num_rows == 0


def test_no_cell_is_a_formula_and_no_row_is_planted(exports):
    count = len(lines(as_csv(exports.card(), exports.again)))
    for text in exports.texts:
        card = exports.card(text)
        for row in card["incidents"]:
            row["peer"] = row["package"] = text
        found = lines(as_csv(card, exports.again))
        assert len(found) == count
        assert not any(value.lstrip()[:1] in FORMULA for row in found for value in row.values())
        assert pq.read_table(io.BytesIO(as_parquet(card, exports.again))).num_rows == count


def test_a_formula_would_be_seen():
    assert any(text.lstrip()[:1] in FORMULA for text in ("=1+1", " @SUM(1)"))


def test_the_same_card_gives_the_same_bytes(exports):
    card = exports.card()
    assert as_parquet(card, exports.again) == as_parquet(card, exports.again)
