"""What a statement is before it runs; hostile ones are in test_hostile_rules.py."""

from __future__ import annotations

import pytest

from detector.contract import SCHEMAS
from detector.sql.locked import locked
from detector.sql.shape import Shape, shape


@pytest.fixture(scope="module")
def connection():
    return locked({name: schema.empty_table() for name, schema in SCHEMAS.items()})


@pytest.mark.parametrize(
    ("text", "tables", "parameters"),
    [
        ("SELECT 1", (), ()),
        ("FROM flows WHERE bytes_up > $least;", ("flows",), ("least",)),
        ("WITH t AS (SELECT * FROM dns) SELECT * FROM t JOIN FLOWS USING (flow)", ("dns", "flows"), ()),
        (
            "SELECT * FROM flows WHERE flow IN (SELECT flow FROM dns WHERE rcode = $a OR rcode = $b)",
            ("dns", "flows"),
            ("a", "b"),
        ),
        ("SELECT unnest(answers), median(bytes_up) OVER (PARTITION BY client) FROM dns", ("dns",), ()),
        ("SELECT * FROM range(3), unnest([1, 2])", (), ()),
        ("SELECT 1 UNION ALL SELECT flow FROM flows", ("flows",), ()),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT * FROM t", (), ()),
        ("SELECT list_filter([1, 2], lambda x: x > 1), regexp_matches('a', 'b'), epoch_us(make_timestamp(5))", (), ()),
        (
            "SELECT * FROM http ASOF JOIN flows ON http.device = flows.device AND http.time >= flows.start",
            ("flows", "http"),
            (),
        ),
    ],
)
def test_what_detection_needs_is_allowed(connection, text, tables, parameters):
    assert shape(text, connection) == Shape(tables, parameters)


def test_all_faults_are_told(connection):
    with pytest.raises(ValueError, match="found") as told:
        shape("SELECT random() FROM flow, read_csv('x')", connection)
    said = str(told.value).split("\n")
    assert len(said) == 3
    assert any("did you mean 'flows'?" in line for line in said)
    assert any("the table function read_csv" in line for line in said)
    assert any("the function random" in line for line in said)


def test_an_overlong_text_is_not_even_read(connection):
    with pytest.raises(ValueError, match="expected at most 100,000"):
        shape("SELECT 1" + " " * 100_000, connection)
