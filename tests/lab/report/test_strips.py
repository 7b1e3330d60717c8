"""Strips: times become columns, and nothing leaves the frame."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lab.report.strips import WIDTH, Strip, sample, strokes

START, HOUR = 1_772_409_600_000_000, 3_600_000_000


def columns(pairs, span=24 * HOUR):
    made = strokes(Strip("s", 1, "i", START, span, pairs), pairs)
    return list(zip(made[::2], made[1::2], strict=True))


def test_an_hour_is_a_twenty_fourth():
    assert columns([(START + 6 * HOUR, START + 12 * HOUR)]) == [(WIDTH // 4, WIDTH // 4)]


def test_a_moment_is_one_column_and_neighbours_merge():
    assert columns([(START, START)]) == [(0, 1)]
    assert columns([(START, START), (START + 1, START + 2)]) == [(0, 1)]


def test_stretches_do_not_overlap():
    pairs = [(START, START + 6 * HOUR), (START + 6 * HOUR, START + 7 * HOUR), (START + 12 * HOUR, START + 13 * HOUR)]
    assert columns(pairs) == [(0, 7 * WIDTH // 24), (WIDTH // 2, WIDTH // 24)]


@given(st.lists(st.tuples(st.integers(-HOUR, 25 * HOUR), st.integers(0, HOUR)), max_size=40), st.integers(0, 24 * HOUR))
def test_nothing_leaves_the_frame(pairs, span):
    found = columns([(START + begin, START + begin + length) for begin, length in pairs], span)
    assert bool(found) == bool(pairs)
    assert all(0 <= left < left + width <= WIDTH for left, width in found)
    assert all(left + width < other for (left, width), (other, _) in itertools.pairwise(found))


@given(st.integers(0, 50), st.integers(1, 60))
def test_a_sample_keeps_the_first_and_the_last_and_repeats_none(many, most):
    sizes = [(time, 1, 2) for time in range(many)]
    kept = sample(Strip("s", 1, "i", START, HOUR, (), sizes=sizes), most)
    assert len(kept) == min(many, most) == len({*kept})
    assert kept == sorted(kept)
    assert not many or kept[0] == sizes[0]
    assert most < 2 or kept[-1:] == sizes[-1:]
