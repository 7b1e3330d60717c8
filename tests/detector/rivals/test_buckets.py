"""Elastic's minutes: windows of six hours every hour, and variations between two quantiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rivals.buckets import BUCKETS, fill, truncated_variation
from detector.rivals.pairs import process_pairs


def filled(made, times, hours=24, **values):
    made.span_s = 3600.0 * hours
    made.polls(times, uid=10_001, **values)
    telemetry = made.telemetry()
    return fill(process_pairs(telemetry), telemetry.span)


def test_every_hour_looks_six_hours_back(made):
    found = filled(made, 60.0 * np.arange(24 * 60))
    assert found.hour.tolist() == list(range(24))
    assert found.filled.tolist() == [60 * min(hour + 1, 6) for hour in range(24)]
    assert found.spanned.tolist() == found.filled.tolist()
    assert (found.last[-1], found.first[-1]) == (1439 * 60_000_000, 1080 * 60_000_000)


@pytest.mark.parametrize(
    ("minutes", "enough"), [(range(0, 12, 2), 0), (range(0, 14, 2), 1), (range(11), 0), (range(12), 1)]
)
def test_twelve_minutes_spanned_and_seven_filled_are_needed(made, minutes, enough):
    found = filled(made, [60.0 * one for one in minutes], hours=1)
    assert len(found.owner) == enough


def test_a_bucket_holds_counts_and_mean_bytes(made):
    found = filled(made, 30.0 * np.arange(40), hours=1, up=300)
    assert found.count.tolist() == [2] * 20
    assert set(found.up) == {300.0}
    counts, spanned = found.dense(slice(0, 1))
    assert (counts.shape, spanned.tolist()) == ((1, BUCKETS), [20])
    assert counts[0].tolist() == [2.0] * 20 + [0.0] * 340, "the series begins with its first filled minute"


def test_who_has_no_process_is_in_no_bucket(made):
    made.polls(60.0 * np.arange(60), uid=None, package=None)
    assert len(process_pairs(made.telemetry()).who) == 0


def test_the_variation_by_hand():
    # quantiles of 1..10: 1.9 and 8.2, so 2..8: mean 5, deviation 2
    values = np.arange(1.0, 11.0)
    assert truncated_variation(values, np.array([0, 10]))[0] == pytest.approx(2 / 5)
    assert np.isnan(truncated_variation(np.zeros(5), np.array([0, 5]))[0])


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**6), min_size=7, max_size=40), st.integers(1, 50))
def test_the_variation_knows_no_unit(values, times):
    plain, scaled = (
        truncated_variation(np.array(values) * one * 1.0, np.array([0, len(values)])) for one in (1, times)
    )
    assert plain[0] == pytest.approx(scaled[0], abs=1e-9)
