import numpy as np
import pytest

from lab.replaying.lateness import Spread, lateness


def test_a_punctual_replay_has_no_error():
    due = np.arange(1_000) * 500_000
    found = lateness(due, due)
    assert (found.drift_ms, found.gap_error_us.max, found.late_us.max) == (0.0, 0.0, 0.0)
    assert found.per_second == pytest.approx(2_000)


def test_being_late_as_a_whole_is_drift_and_no_gap_error():
    due = np.arange(1_000) * 500_000
    found = lateness(due, due + 3_000_000)
    assert (found.drift_ms, found.gap_error_us.max, found.late_us.p50) == (3.0, 0.0, 3_000.0)


def test_one_late_frame_makes_two_wrong_gaps():
    due = np.arange(101) * 1_000_000
    left = due.copy()
    left[50] += 400_000
    found = lateness(due, left)
    assert (found.late_us.max, found.gap_error_us.max, found.drift_ms) == (400.0, 400.0, 0.0)
    assert found.gap_error_us.p50 == 0.0


def test_nothing_and_one_frame_are_numbers_too():
    assert lateness(np.zeros(0, np.int64), np.zeros(0, np.int64)).frames == 0
    assert lateness(np.array([0]), np.array([7_000])).late_us.max == 7.0
    assert Spread.of(np.zeros(0, np.int64)) == Spread(0.0, 0.0, 0.0)
    assert set(lateness(np.array([0]), np.array([0])).to_json()) >= {"late_us", "gap_error_us", "drift_ms"}
