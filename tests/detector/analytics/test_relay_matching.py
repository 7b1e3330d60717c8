"""Bursts against a way: in step, out of step, too small, and by chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.relay_bytes import Pieces
from detector.analytics.relay_matching import Bursts, Way, matched

US = 1_000_000
HOUR = 3600 * US


def bursts(times_s, *, up=1000, down=9000):
    start = (np.array(times_s) * US).astype(np.int64)
    n = len(start)
    zero, yes = np.zeros(n, np.int64), np.ones(n, np.bool_)
    sizes = np.full(n, up, np.int64), np.full(n, down, np.int64)
    return Bursts(zero, zero, start, start + US // 10, start + US // 5, *sizes, yes)


def way(times_s, *, delay_s=0.3, into=1000, out=9000):
    at = (np.array(times_s) * US).astype(np.int64)
    delay, none = int(delay_s * US), np.zeros(len(at), np.int64)
    time = np.concatenate([at - delay, at + US // 5 + delay])
    amounts = np.concatenate([none + into, none]), np.concatenate([none, none + out])
    return Way(np.zeros(len(time), np.int64), Pieces(np.zeros(len(time), np.int64), time, *amounts), (0, HOUR))


TIMES = [300.0, 900.0, 1500.0, 2400.0]


@pytest.mark.parametrize(
    ("shape", "reach_s", "share"),
    [
        ({}, 1.5, 1.0),
        ({"delay_s": 15.0}, 1.5, 0.0),
        ({"delay_s": 15.0}, 30.0, 1.0),
        ({"into": 500, "out": 4500}, 1.5, 1.0),
        ({"out": 100}, 1.5, 0.0),
        ({"into": 100}, 1.5, 0.0),
        ({"out": 90_000}, 1.5, 1.0),
    ],
)
def test_bursts_are_in_step_with_a_way_that_brings_and_takes_enough_in_time(shape, reach_s, share):
    found = matched(bursts(TIMES), way(TIMES, **shape), reach_s)
    assert found.paired.mean() == share
    assert found.chance.mean() == 0


def test_a_way_that_is_always_busy_is_in_step_by_chance_as_well():
    found = matched(bursts(TIMES), way(np.arange(1, 3600, 0.5)), 1.5)
    assert found.paired.mean() == found.chance.mean() == 1


def test_chaff_between_does_not_matter(rng):
    noise = np.sort(rng.uniform(0, 3600, 200))
    quiet, loud = way(TIMES), way(np.concatenate([TIMES, noise]))
    assert (matched(bursts(TIMES), loud, 1.5).paired == matched(bursts(TIMES), quiet, 1.5).paired).all()


@given(st.lists(st.tuples(st.integers(0, 3599), st.integers(0, 3599)), min_size=1, max_size=30))
def test_sums_between_moments_are_those_of_a_loop(rows):
    times = np.array([row[0] for row in rows]) * US
    size = np.arange(1, len(rows) + 1)
    one = Way(np.zeros(len(rows), np.int64), Pieces(np.zeros(len(rows), np.int64), times, size, 2 * size), (0, HOUR))
    end = np.array([row[1] for row in rows]) * US
    into, out = one.between(np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64), end)
    assert into.tolist() == [float(size[times <= moment].sum()) for moment in end]
    assert (out == 2 * into).all()
