"""Doze begins when the phone has lain still long enough, deepens, and opens its windows as AOSP says."""

from __future__ import annotations

import numpy as np

from lab.habits.clock import gaps, merged
from lab.phones.doze import DEEP_AFTER, LIGHT_AFTER, MINUTE, doze

NIGHT = 10 * 60 * MINUTE


def rows(*pairs):
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def test_a_short_pause_does_not_doze():
    found = doze(np.random.default_rng(1), rows((0, LIGHT_AFTER)), rows())
    assert len(found.asleep) == len(found.maintenance) == 0


def test_a_still_night_deepens():
    found = doze(np.random.default_rng(1), rows((0, NIGHT)), rows())
    assert found.light[0].tolist() == [LIGHT_AFTER, LIGHT_AFTER + 5 * MINUTE]
    lengths = (found.light[:, 1] - found.light[:, 0])[:-1] // MINUTE
    assert lengths.tolist()[:3] == [5, 10, 15]
    assert found.deep[0].tolist() == [DEEP_AFTER, DEEP_AFTER + 60 * MINUTE]
    deep = (found.deep[:, 1] - found.deep[:, 0]) // MINUTE
    assert deep.tolist()[:3] == [60, 120, 240]


def test_sleep_and_windows_tile_the_still_time():
    found = doze(np.random.default_rng(1), rows((0, NIGHT), (NIGHT + MINUTE, 2 * NIGHT)), rows())
    everything = np.concatenate([found.light, found.deep, found.maintenance])
    assert len(merged(everything)) == 2
    assert (everything[:, 1] - everything[:, 0]).sum() == 2 * NIGHT - MINUTE - 2 * LIGHT_AFTER


def test_a_carried_phone_sleeps_lightly_only():
    found = doze(np.random.default_rng(1), rows((0, NIGHT)), rows((0, NIGHT)))
    assert len(found.deep) == 0
    assert len(found.light) > 10
    longest = (found.maintenance[:, 1] - found.maintenance[:, 0]).max()
    assert longest <= 7.5 * MINUTE
    assert len(gaps(found.asleep, NIGHT)) == len(found.maintenance) + 1
