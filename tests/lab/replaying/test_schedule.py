import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replaying.schedule import BURST_S, Bucket, capped, departures, period, recovered

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


@given(TIMES, st.floats(0.5, 5_000))
def test_the_cap_holds_across_rounds_too(time, cap):
    held = departures(time, 1_000.0, cap=cap)
    rounds = np.concatenate([held + number * recovered(held, cap) for number in range(4)])
    assert (np.diff(rounds) >= 0).all()
    for span in (10**8, 10**9):
        within = np.searchsorted(rounds, rounds + span) - np.arange(len(rounds))
        assert within.max() <= cap * (span / 1e9 + BURST_S) + 2


@given(TIMES, st.floats(0.5, 5_000))
def test_what_is_on_time_never_waits_for_the_bucket_nor_does_the_next_round(time, cap):
    bucket, held = Bucket(cap), departures(time, 1.0, cap=cap)
    for start in (10**12, 10**12 + recovered(held, cap)):
        for due in held.tolist():
            assert bucket.opens <= start + due + 1
            bucket.took(start + due)


def test_what_a_pause_held_up_leaves_at_the_cap_and_no_faster():
    bucket, now = Bucket(1_000.0), 10**12
    left = []
    for _ in range(3_000):
        now = max(now, bucket.opens)  # all of it is overdue
        bucket.took(now)
        left.append(now)
    assert left[-1] - left[0] == pytest.approx(2.9e9, rel=0.01)
    free = Bucket()
    for _ in range(10):
        free.took(now)
    assert free.opens <= now


def test_nothing_leaves_the_bucket_full():
    assert recovered(np.zeros(0, np.int64), 1.0) == 0
