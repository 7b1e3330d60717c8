"""Sittings follow each other, as often as they may, as long as they last on average."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.habits.sittings import SETTLE, sittings

HOURLY = np.array([[hour * 3_600, hour * 3_600 + 60] for hour in range(2_000)], dtype=np.int64) * SECOND


def test_they_begin_when_the_app_is_opened_and_never_overlap():
    found = sittings(np.random.default_rng(1), HOURLY, 1.0, 7_200.0)
    assert set(found[:, 0].tolist()) <= set((HOURLY[:, 0] + SETTLE).tolist())
    assert (found[1:, 0] > found[:-1, 1] + 60 * SECOND - 1).all()
    assert 300 < len(found) < 1_500


def test_they_have_their_mean_length_and_share():
    found = sittings(np.random.default_rng(1), HOURLY, 0.3, 300.0, least_s=0.0)
    assert len(found) == pytest.approx(600, abs=60)
    assert (found[:, 1] - found[:, 0]).mean() / SECOND == pytest.approx(300, rel=0.15)


def test_there_are_no_more_than_may_be():
    assert len(sittings(np.random.default_rng(1), HOURLY, 1.0, 60.0, most=3)) == 3
    assert sittings(np.random.default_rng(1), HOURLY[:0], 1.0, 60.0).shape == (0, 2)
    assert (sittings(np.random.default_rng(1), HOURLY, 1.0, 1.0, least_s=30.0) @ [-1, 1] >= 30 * SECOND).all()
