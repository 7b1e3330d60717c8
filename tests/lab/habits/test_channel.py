"""A long connection: beats keep it alive, words are said while it is there, or wait while it is dialled."""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Window
from lab.habits.channel import READY, beats, spoken
from lab.habits.clock import inside
from lab.habits.longflow import words
from lab.habits.reconnect import connections

HOUR = 3600 * SECOND
NONE = np.zeros((0, 2), dtype=np.int64)


def window(span):
    return Window(span, NONE, NONE, NONE, NONE, NONE)


def test_a_connection_breaks_and_is_dialled_again():
    span = 48 * HOUR
    lives = connections(np.random.default_rng(1), 3_600.0, window(span), np.array([[0, span]]))
    assert 25 < len(lives) < 75
    assert np.all(lives[1:, 0] > lives[:-1, 1])
    assert lives[-1, 1] <= span


def test_a_gated_connection_lives_within_its_openings():
    open_ = np.array([[HOUR, 2 * HOUR], [5 * HOUR, 5 * HOUR + 30 * SECOND]])
    lives = connections(np.random.default_rng(1), 86_400.0, window(10 * HOUR), open_)
    assert inside(lives[:, 0], open_).all()
    assert inside(lives[:, 1] - 1, open_).all()
    assert connections(np.random.default_rng(1), 86_400.0, window(HOUR), NONE).shape == (0, 2)


def test_beats_come_every_interval_of_each_life():
    lives = np.array([[0, HOUR], [2 * HOUR, 2 * HOUR + 100 * SECOND], [3 * HOUR, 3 * HOUR + 10 * SECOND]])
    owner, said = beats(np.random.default_rng(1), lives, 60.0, 6, 2)
    assert np.bincount(owner, minlength=3).tolist() == [59, 1, 0]
    late = (said.time - lives[owner, 0]) % (60 * SECOND)
    assert late.max() < 200_000
    assert (set(said.up.tolist()), set(said.down.tolist())) == ({6}, {2})


def test_words_wait_for_a_connection_that_is_dialled_and_are_lost_without_one():
    lives = np.array([[100 * SECOND, 200 * SECOND], [205 * SECOND, 300 * SECOND]])
    said = words(np.array([50, 95, 101, 150, 199, 202, 299, 400]) * SECOND, 10, 20, 2 * SECOND)
    owner, carried = spoken(lives, said)
    assert owner.tolist() == [0, 0, 0, 1]
    assert carried.time.tolist() == [100 * SECOND + READY, 100 * SECOND + READY, 150 * SECOND, 205 * SECOND + READY]
