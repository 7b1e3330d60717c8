"""Pages have the shape of SURGE: log-normal bodies, few large ones, reading times with a long tail."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.pages import HEADERS, answer_sizes, looks, object_counts


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
    times = looks(np.random.default_rng(1), 0, 36_000 * SECOND, 8.0)
    gaps = np.diff(times) / SECOND
    assert times[0] == SECOND
    assert gaps.min() >= 8.0 - 1e-5
    assert (gaps > 24.0).mean() == pytest.approx(3.0**-1.5, abs=0.03), "Pareto, alpha 1.5"
    assert len(looks(np.random.default_rng(1), 0, SECOND // 2, 8.0)) == 0
