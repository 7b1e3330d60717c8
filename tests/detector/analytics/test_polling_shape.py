"""The shape of contacts: many at once, each as numpy tells it of one alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.polling_shape import shapes
from detector.contacts import Contacts
from detector.grouped import grouped_clusters

HOUR_US = 3_600_000_000


def contacts(rows):
    """Contacts at these times (microseconds) of these sizes."""
    times, up, down = (np.array(column, np.int64) for column in zip(*sorted(rows), strict=True))
    return Contacts("phone-01", 10_001, "com.example.torch", "c2.example", False, times, up, down, times, 60.0)


some = st.lists(
    st.tuples(st.integers(0, 10**15), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=2, max_size=40
)


@given(st.lists(some, min_size=1, max_size=6))
def test_each_is_as_numpy_tells_it_of_one_alone(every):
    made = [contacts(rows) for rows in every]
    for one, shape in zip(made, shapes(made, 0.03), strict=True):
        gaps = np.quantile(one.gaps_s(), (0.05, 0.25, 0.5, 0.75))
        assert (shape.floor, shape.low, shape.period, shape.high) == pytest.approx(tuple(gaps), rel=1e-9)
        assert shape.hours == len(np.unique(one.times // HOUR_US))
        assert shape.volume == int(np.median(one.up + one.down))
        share, size = grouped_clusters(one.up, np.array([0, len(one)]), 0.03)
        assert (shape.same, shape.up) == (share[0], size[0])
        assert shape.down == grouped_clusters(one.down, np.array([0, len(one)]), 0.03)[1][0]


def test_hours_are_counted_within_each():
    first, second = contacts([(0, 1, 1), (HOUR_US, 1, 1)]), contacts([(HOUR_US, 1, 1), (HOUR_US + 1, 1, 1)])
    assert [one.hours for one in shapes([first, second, second], 0.03)] == [2, 1, 1]


def test_one_contact_has_no_gap_and_none_has_no_shape():
    assert shapes([], 0.03) == []
    (one,) = shapes([contacts([(5, 7, 9)])], 0.03)
    assert math.isnan(one.period)
    assert (one.up, one.down, one.volume, one.hours) == (7, 9, 16, 1)
