"""Times of other sensors."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.imports.moments import iso8601, microseconds, seconds_of


def column(*values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@given(st.integers(0, 4_000_000_000_000_000))
def test_seconds_with_six_decimals_are_exact(time_us):
    assert microseconds(column(float(f"{time_us // 10**6}.{time_us % 10**6:06d}"))).to_pylist() == [time_us]


def test_what_is_no_date_is_null():
    assert microseconds(column(1e300, float("nan"), None)).to_pylist() == [None, None, None]


@given(
    st.integers(31_536_000, 4_000_000_000),
    st.integers(0, 999_999),
    st.integers(-14 * 60, 14 * 60),
    st.booleans(),
)
def test_iso_times_with_any_offset_are_exact(seconds, micros, minutes, colon):
    zone = timezone(timedelta(minutes=minutes))
    text = datetime.fromtimestamp(seconds, zone).replace(microsecond=micros).isoformat(timespec="microseconds")
    text = text if colon else text[:-3] + text[-2:]
    assert iso8601(column(text)).to_pylist() == [seconds * 1_000_000 + micros]


def test_iso_times_without_offset_or_fraction():
    texts = column("1970-01-01T00:00:01Z", "1970-01-01 00:00:01", "1970-01-01T00:00:01,5Z", "13:00", "", None)
    assert iso8601(texts).to_pylist() == [1_000_000, 1_000_000, 1_500_000, None, None, None]
    assert iso8601(column("1970-01-01 01:00:01"), 3_600_000_000).to_pylist() == [1_000_000]


def test_texts_become_seconds_and_numbers_stay():
    assert seconds_of(column("1970-01-01T00:00:01.5Z")).to_pylist() == [1.5]
    assert seconds_of(column(2.0)).to_pylist() == [2.0]
