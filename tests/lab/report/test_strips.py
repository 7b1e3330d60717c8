"""Strips: times become columns, and nothing leaves the frame."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from lab.report.strips import HOUR, WIDTH, Strip, draw

START = 1_772_409_600_000_000


def strip(conversations, locked=(), span=24 * HOUR, start=START):
    return Strip("s", 1, "i", start, span, conversations, locked)


def strokes(path):
    return [(int(left), int(width)) for left, width in re.findall(r"M(\d+) 4h(\d+)v20", path)]


def test_an_hour_is_a_twenty_fourth():
    made = draw(strip([(START + 6 * HOUR, START + 12 * HOUR)], [(START, START + 12 * HOUR)]))
    assert strokes(made.path) == [(WIDTH // 4, WIDTH // 4)]
    assert made.locked == ((0, WIDTH // 2),)
    assert made.hours[:2] == ((0, "00:00"), (WIDTH // 8, "03:00"))


def test_a_moment_is_one_column_and_neighbours_merge():
    assert strokes(draw(strip([(START, START)])).path) == [(0, 1)]
    assert strokes(draw(strip([(START, START), (START + 1, START + 2)])).path) == [(0, 1)]


def test_shades_do_not_overlap():
    pairs = [(START, START + 6 * HOUR), (START + 6 * HOUR, START + 7 * HOUR), (START + 12 * HOUR, START + 13 * HOUR)]
    assert draw(strip([], pairs)).locked == ((0, 7 * WIDTH // 24), (WIDTH // 2, WIDTH // 24))


def test_marks_are_whole_hours():
    made = draw(strip([], start=START + HOUR // 2, span=2 * HOUR))
    assert made.hours == ((WIDTH // 4, "01:00"), (3 * WIDTH // 4, "02:00"))


@given(st.lists(st.tuples(st.integers(-HOUR, 25 * HOUR), st.integers(0, HOUR)), max_size=40), st.integers(0, 24 * HOUR))
def test_nothing_leaves_the_frame(pairs, span):
    made = draw(strip([(START + begin, START + begin + length) for begin, length in pairs], span=span))
    found = strokes(made.path)
    assert bool(found) == bool(pairs)
    assert all(0 <= left < left + width <= WIDTH for left, width in found)
    assert all(left + width < other for (left, width), (other, _) in itertools.pairwise(found))
