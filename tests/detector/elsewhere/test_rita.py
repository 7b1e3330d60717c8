"""RITA's CSV: verdicts of both versions, and rows that are none."""

from __future__ import annotations

import pytest

from detector.elsewhere.rita import verdicts
from detector.junk import JunkError

FIVE = b"Severity,Source IP,Destination IP,FQDN,Beacon Score,Strobe,C2 Over DNS Score,Modifiers\n"
FOUR = b"Score,Source IP,Destination IP,Connections,Avg. Bytes\n"


def read(header, *rows):
    return list(verdicts([header, *(row.encode() + b"\n" for row in rows)]))


def test_the_highest_score_and_the_severity_are_told():
    rows = read(
        FIVE,
        'High,10.88.0.2,,a.example,95.4%,false,0.1,"x, y"',
        "Low,10.88.0.2,198.18.0.9,,0.31,false,,",
        "None,10.88.0.2,,z.example,0%,false,62%,",
    )
    assert [(one.peer, round(one.score, 6), one.severity, one.alert, one.rule) for one in rows] == [
        ("a.example", 0.954, "high", True, "Beacon Score"),
        ("198.18.0.9", 0.31, "low", False, "Beacon Score"),
        ("z.example", 0.62, "informational", False, "C2 Over DNS Score"),
    ]
    assert {one.host for one in rows} == {"10.88.0.2"}
    assert {one.time for one in rows} == {None}


def test_without_a_severity_the_score_decides():
    rows = read(FOUR, "0.9,10.88.0.2,198.18.0.9,100,5", "0.69,10.88.0.2,198.18.0.8,100,5")
    assert [one.alert for one in rows] == [True, False]


@pytest.mark.parametrize(
    ("header", "rows", "told"),
    [
        (b"Severity,Source IP,Port\n", (), "line 1: found columns Severity, Source IP, Port, expected FQDN or Dest"),
        (b"Severity,Source IP,FQDN\n", (), "expected Beacon Score or"),
        (FOUR, ("0.9,10.88.0.2",), "line 2: found 2 fields, expected 5"),
        (FOUR, ("", "high,10.88.0.2,198.18.0.9,1,1"), "line 3: Score: found 'high', expected 0 to 1, or a percentage"),
        (FOUR, ("7,10.88.0.2,198.18.0.9,1,1",), "found '7'"),
        (FOUR, ("nan,10.88.0.2,198.18.0.9,1,1",), "found 'nan'"),
        (FOUR, ("0.9,,198.18.0.9,1,1",), "found source ''"),
        (FOUR, ('0.9,"10',), "found no CSV"),
    ],
)
def test_a_row_that_is_none_is_named_with_its_line(header, rows, told):
    with pytest.raises(JunkError, match=told):
        read(header, *rows)
