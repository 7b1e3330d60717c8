"""The columns of a result: which types fit, and a row as a finding."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from detector.contract import Finding
from detector.sql.columns import REQUIRED, column_faults, finding_row, rows

FIT = {
    "device": "VARCHAR",
    "uid": "INTEGER",
    "package": "VARCHAR",
    "peer": '"NULL"',
    "first_seen": "BIGINT",
    "last_seen": "TIMESTAMP",
    "decided_at": "TIMESTAMP WITH TIME ZONE",
    "score": "DECIMAL(3,2)",
    "alert": "BOOLEAN",
}


def faults(measure=None, **other):
    described = {**FIT, **other}
    return list(column_faults([(name, kind) for name, kind in described.items() if kind], measure))


def test_what_fits_has_no_fault():
    assert faults() == []
    assert faults(severity="VARCHAR", text="VARCHAR", contacts="BIGINT", share="FLOAT", note="VARCHAR") == []


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_column_is_named_with_its_type(name):
    (fault,) = faults(**{name: None})
    assert fault.startswith(f"found no column '{name}', expected one of type ")


def test_the_nearest_name_is_offered():
    assert faults(device=None, devise="VARCHAR")[0].endswith("is it 'devise'?")


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("device", "BIGINT", "VARCHAR"),
        ("uid", "VARCHAR", "BIGINT"),
        ("first_seen", "VARCHAR", "BIGINT in microseconds since the epoch, or TIMESTAMP"),
        ("score", "VARCHAR", "DOUBLE"),
        ("alert", "INTEGER", "BOOLEAN"),
        ("severity", "INTEGER", "VARCHAR"),
        ("extra", "VARCHAR[]", "a number or text"),
    ],
)
def test_a_wrong_type_is_told(name, kind, expected):
    (fault,) = faults(**{name: kind})
    assert f"column '{name}': found type {kind}, expected {expected}" in fault


def test_a_knob_wants_its_column():
    (fault,) = faults(measure="least")
    assert "'least'" in fault
    assert "highest setting of the knob" in fault
    assert faults(measure="least", least="BIGINT") == []


def test_twice_the_same_name_is_a_fault():
    said = [*FIT.items(), ("device", "VARCHAR")]
    assert list(column_faults(said, None)) == ["found 2 columns 'device', expected one"]


def row(**other):
    made = dict.fromkeys(("uid", "package", "peer")) | {"device": "d", "first_seen": 0, "last_seen": 5, "decided_at": 3}
    return {**made, "score": 0.5, "alert": True, **other}


def finding(measure=None, **other):
    signed = {"detector": "sql:x", "detector_version": "1", "partial": False}
    return Finding.from_json({**finding_row(row(**other), "r", "AN1793", measure), **signed})


def test_a_row_is_a_finding_and_its_other_columns_are_reasons():
    one = finding("least", text="so it is", contacts=7, least=4, share=None)
    assert (one.first_seen, one.last_seen, one.decided_at) == (0, 5, 3)
    assert one.severity == "medium"
    assert [(reason.feature, reason.value) for reason in one.reasons] == [
        ("rule", "r"),
        ("contacts", 7),
        ("share", None),
        ("least", 4),
    ]
    assert one.reasons[0].text == "so it is"


def test_what_is_no_alert_is_informational_unless_it_says_otherwise():
    assert finding(alert=False).severity == "informational"
    assert finding(alert=False, severity="low").severity == "low"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", None),
        ("score", 1.5),
        ("score", float("nan")),
        ("score", None),
        ("alert", None),
        ("first_seen", None),
        ("first_seen", 10**30),
        ("decided_at", -1),
        ("severity", "urgent"),
        ("text", "\ud800"),
    ],
)
def test_a_value_that_is_no_findings_is_told_and_not_mended(name, value):
    with pytest.raises(ValueError, match=f"(?s){name}|text|reasons"):
        finding(**{name: value})


def test_times_of_all_kinds_are_microseconds():
    asked = "SELECT 5 AS a, TIMESTAMP '1970-01-01 00:00:01.5' AS b, TIMESTAMP_S '1970-01-01 00:00:02' AS c, sum(3) AS d, 'x' AS e"
    reader = duckdb.connect().sql(asked).to_arrow_reader(10)
    assert [one for batch in reader for one in rows(batch)] == [
        {"a": 5, "b": 1_500_000, "c": 2_000_000, "d": 3, "e": "x"}
    ]


def test_times_with_a_zone_are_utc():
    column = pa.array([datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)], pa.timestamp("ns", "Europe/Berlin"))
    assert list(rows(pa.record_batch({"a": column}))) == [{"a": 1_000_000}]
