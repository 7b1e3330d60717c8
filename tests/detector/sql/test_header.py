"""The header of a SQL rule: what it declares, and all that can be wrong with it at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.contract import Knob
from detector.sql.header import header, with_value

WHOLE = """-- what it is
-- droidrange: analytic AN1793
--droidrange: knob least_contacts 10 1 1000
-- droidrange: parameter most_spread 0.25
-- droidrange: needs flows.package
SELECT 1 -- of many
"""


def test_all_that_it_says_is_read():
    said = header(WHOLE, "x.sql")
    assert said.analytic == "AN1793"
    assert said.knob == Knob("least_contacts", "AN1793", 10.0, 1.0, 1000.0)
    assert said.parameters == {"least_contacts": 10, "most_spread": 0.25}
    assert said.needs == (("flows", "package"),)


def test_the_knob_has_the_analytic_wherever_that_stands():
    said = header("-- droidrange: knob n 1 1 2\n-- droidrange: analytic AN1702\nSELECT $n", "x.sql")
    assert said.knob is not None
    assert said.knob.analytic == "AN1702"


def test_the_caller_may_say_the_analytic():
    assert header("SELECT 1", "x.sql", "AN1702").analytic == "AN1702"
    assert header(WHOLE, "x.sql", "AN1702").analytic == "AN1793"


def test_all_faults_are_told_with_their_lines():
    text = "-- droidrange: analytic AN1\n-- droidrange: knob n 5 6 7\n-- droidrange: parameter Nö 1\nSELECT 1"
    with pytest.raises(LookupError) as told:
        header(text, "x.sql")
    first, second, third = str(told.value).split("\n")
    assert first.startswith("x.sql: line 1: found 'analytic AN1', expected analytic AN1793 or AN1702")
    assert second.startswith("x.sql: line 2: found 'knob n 5 6 7', expected 6 <= 5 <= 7")
    assert third.startswith("x.sql: line 3: found 'parameter Nö 1', expected a name of small letters")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "found no analytic, expected a first line '-- droidrange: analytic AN1793'"),
        ("-- droidrange: knob n 1 1", "expected knob NAME VALUE LEAST MOST"),
        ("-- droidrange: knob n 1 1 x", "expected a finite number instead of 'x'"),
        ("-- droidrange: parameter n nan", "expected a finite number instead of 'nan'"),
        ("-- droidrange: parameter n 1\n-- droidrange: parameter n 2", "each name once"),
        ("-- droidrange: knob a 1 1 1\n-- droidrange: knob b 1 1 1", "one knob at most"),
        ("-- droidrange: needs flow.uid", "tables: flows, exchanges"),
        ("-- droidrange: needs flows.app", "flows has flow, device"),
        ("-- droidrange: treshold 3", "expected analytic, knob, parameter, needs"),
        ("SELECT 1\n-- droidrange: analytic AN1793", "expected it above"),
    ],
)
def test_a_fault_says_what_was_expected(line, expected):
    with pytest.raises(LookupError) as told:
        header(f"{line}\nSELECT 1", "x.sql")
    assert expected in str(told.value)


def test_settings_replace_numbers_and_keep_their_bounds():
    said = header(WHOLE, "x.sql")
    more = said.with_settings({"least_contacts": 20, "most_spread": 1})
    assert more.parameters == {"least_contacts": 20, "most_spread": 1}
    assert more.knob is not None
    assert more.knob.value == 20
    with pytest.raises(LookupError, match=r"found 'volume' after '\?', expected least_contacts, most_spread"):
        said.with_settings({"volume": 3})
    with pytest.raises(LookupError, match="found least_contacts=2000, expected 1 to 1000"):
        said.with_settings({"least_contacts": 2000})


@given(st.floats(min_value=1, max_value=1000))
def test_a_value_written_is_the_value_read(value):
    text = with_value(WHOLE, "least_contacts", value, "tuned\nagain")
    again = header(text, "x.sql")
    assert again.knob is not None
    assert again.knob.value == value
    assert "-- tuned again\n" in text
    assert text.endswith("SELECT 1 -- of many\n")


def test_a_number_that_nobody_declares_cannot_be_written():
    with pytest.raises(LookupError, match="unknown knob volume"):
        with_value(WHOLE, "volume", 3, "")
