"""Queries put to the locked process: its answers, and every way in which it gives none."""

from __future__ import annotations

import pytest

from detector.contract import Telemetry, Unsupported
from detector.fenced import Failed
from detector.signature import Signature
from detector.sql.asked import asked, checked
from detector.sql.query import Query

BY = Signature("sql:x", "1", partial=True)
TEXT = """SELECT device, uid, package, name AS peer, start AS first_seen, start AS last_seen, start AS decided_at,
  {score} AS score, true AS alert FROM flows"""


def query(score="0.5"):
    return Query("each", TEXT.format(score=score), "AN1793")


def test_an_answer_is_signed_and_in_order_of_decision(made):
    made.polls((300, 100, 200), uid=7, package="p", name="n")
    (one,) = checked([query()], "x.sql")
    assert one.tables == ("flows",)
    found = asked([one], made.telemetry(), BY)
    assert [each.decided_at for each in found] == [100_000_000, 200_000_000, 300_000_000]
    assert {(each.detector, each.detector_version, each.partial) for each in found} == {("sql:x", "1", True)}
    assert {(each.uid, each.package, each.peer) for each in found} == {(7, "p", "n")}


def test_a_rule_that_is_none_is_told_with_its_place():
    with pytest.raises(LookupError, match=r"^x\.sql: found DROP, expected one statement"):
        checked([Query("r", "DROP TABLE flows", "AN1793")], "x.sql")


def test_a_missing_table_is_unsupported():
    with pytest.raises(Unsupported, match="sql:x reads the table flows"):
        asked([Query("r", "", "AN1793", tables=("flows",))], Telemetry({}, (0, 1)), BY)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        ("7", r"its result, line 1: no finding \(score: found 7, expected a number from 0 to 1\)"),
        ("CAST(name AS DOUBLE)", "Conversion Error"),
        ("sum(7) OVER () / 0 + octet_length(repeat('x', 9000000000)::BLOB)", "each: |was ended|ended with code"),
    ],
)
def test_a_statement_that_fails_on_the_rows_has_failed(made, score, words):
    made.polls((1,), name="n")
    (one,) = checked([query(score)], "x.sql")
    with pytest.raises(Failed, match=words):
        asked([one], made.telemetry(), BY)


def test_it_cannot_see_what_lies_about(made, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    made.polls((1,))
    past_the_check = Query("r", f"SELECT * FROM read_csv('{secret}')", "AN1793", tables=("flows",))
    with pytest.raises(Failed, match="file system operations are disabled"):
        asked([past_the_check], made.telemetry(), BY)
