"""Pages have the shape of SURGE: log-normal bodies, few large ones, reading times with a long tail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND
from lab.habits.pages import HEADERS, answer_sizes, looks, object_counts, places


def test_answers_have_the_median_of_surge_and_a_limit():
    sizes = answer_sizes(np.random.default_rng(1), 20_000, 100_000)
    assert np.median(sizes) - HEADERS == pytest.approx(np.exp(9.357), rel=0.03)
    assert sizes.max() == 100_000 + HEADERS


def test_pages_have_few_objects_and_at_least_one():
    counts = object_counts(np.random.default_rng(1), 5_000, 14)
    assert counts.min() == 1
    assert counts.max() == 14
    assert 1 < np.median(counts) < 6


def test_reading_takes_at_least_its_shortest_time():
    uses = np.array([[0, 36_000 * SECOND], [50_000 * SECOND, 50_001 * SECOND // 1]])
    times = looks(np.random.default_rng(1), uses, 8.0)
    gaps = np.diff(times[times < uses[0, 1]]) / SECOND
    assert times[0] == SECOND
    assert gaps.min() >= 8.0 - 1e-5
    assert (gaps > 24.0).mean() == pytest.approx(3.0**-1.5, abs=0.03), "Pareto, alpha 1.5"
    assert (times < 50_000 * SECOND).all(), "a use of one second shows no page"


@given(st.lists(st.integers(1, 6), max_size=30), st.integers(0, 99))
def test_the_places_of_a_page_differ(found, seed):
    counts = np.array(found, dtype=np.int64)
    page, place = places(np.random.default_rng(seed), counts, 6)
    for nth, count in enumerate(found):
        mine = place[page == nth]
        assert len(set(mine.tolist())) == len(mine) == count


def test_places_are_visited_by_rank():
    _, place = places(np.random.default_rng(1), np.ones(20_000, dtype=np.int64), 50)
    visits = np.bincount(place, minlength=50) / 20_000
    assert visits[0] == pytest.approx(1 / np.sum(1 / np.arange(1, 51)), rel=0.05)
    assert visits[0] / visits[4] == pytest.approx(5.0, rel=0.15)
