"""Single fields: what each lets through, and what it says of the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from lab.authoring.fields import DAY, HOUR, MINUTE, LeftOut, Offset, Span, Start, label_of, offset_of


@pytest.mark.parametrize(
    ("text", "found"),
    [("+00:00", 0), ("-12:00", -12 * HOUR), ("+14:00", 14 * HOUR), ("+05:45", 5 * HOUR + 45 * MINUTE)],
)
def test_an_offset_is_hours_and_minutes_from_utc(text, found):
    assert offset_of(TypeAdapter(Offset).validate_python(text)) == found


@pytest.mark.parametrize("text", ["", "1h", "5:30", "+5:30", "+14:01", "-12:30", "+02:60", "+0200"])
def test_no_other_offset_is_taken(text):
    with pytest.raises(ValidationError, match=r"expected from -12:00 to \+14:00"):
        TypeAdapter(Offset).validate_python(text)


@pytest.mark.parametrize("text", ["59s", "32d"])
def test_a_span_is_of_a_minute_to_a_month(text):
    with pytest.raises(ValidationError, match="expected from 1m to 31d"):
        TypeAdapter(Span).validate_python(text)


@pytest.mark.parametrize("year", [1, 1950, 1970, 2106, 9999])
def test_a_start_is_one_that_a_capture_can_hold(year):
    with pytest.raises(ValidationError, match="expected a time from 1971 and before 2106"):
        TypeAdapter(Start).validate_python(datetime(year, 6, 1, tzinfo=UTC))
    assert TypeAdapter(Start).validate_python(datetime(1971, 6, 1, tzinfo=UTC)).year == 1971


def test_what_is_left_out_is_a_package_or_a_known_category():
    assert TypeAdapter(LeftOut).validate_python("com.a.b") == "com.a.b"
    with pytest.raises(ValidationError, match="unknown category 'wether'; did you mean 'weather'"):
        TypeAdapter(LeftOut).validate_python("wether")


def test_an_app_is_called_by_the_last_word_of_its_package():
    assert label_of("com.heron.long_walks") == "Long Walks"
    assert DAY == 24 * HOUR
