import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replaying.schedule import BURST_S, capped, departures, period

TIMES = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200).map(lambda all_: np.array(sorted(all_)))


def test_speed_divides_every_gap_and_the_first_leaves_at_once():
    time = np.array([5_000_000, 5_500_000, 7_000_000])
    assert departures(time, 10.0, cap=1e9).tolist() == [0, 50_000_000, 200_000_000]


@given(TIMES, st.floats(0.5, 5_000))
def test_a_cap_delays_and_never_reorders_and_holds_in_every_second(time, cap):
    wished = departures(time, 1.0, cap=np.inf)
    held = departures(time, 1.0, cap=cap)
    assert (held >= wished).all()
    assert (np.diff(held) >= 0).all()
    within = np.searchsorted(held, held + 1_000_000_000) - np.arange(len(held))
    assert within.max() <= cap * (1 + BURST_S) + 2


@given(TIMES)
def test_what_is_slower_than_the_cap_is_left_alone(time):
    wished = departures(time, 1.0, cap=np.inf)
    assert capped(wished, 1e12).tolist() == wished.tolist()


def test_a_burst_within_the_allowance_stays_a_burst():
    assert capped(np.zeros(100, np.int64), 1_000).tolist() == [0] * 100
    assert capped(np.zeros(1_100, np.int64), 1_000)[-1] == pytest.approx(1e9, rel=0.01)


def test_nothing_has_no_departures():
    assert len(departures(np.zeros(0, np.int64), 1.0, cap=1.0)) == 0


def test_rounds_repeat_after_the_recordings_span_and_a_capture_after_a_second_of_silence():
    time = np.array([0, 3_000_000])
    assert period(time, 86_400_000_000, 60.0) == 1_440 * 10**9
    assert period(time, 0, 2.0) == 2 * 10**9
