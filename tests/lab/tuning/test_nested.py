"""Nested splits: nothing is judged by what it was chosen by, and everything is judged once."""

from functools import reduce

import numpy as np
import pytest

from lab.tuning import nested
from lab.tuning.nested import PACKAGE_FOLDS, left_out, package_fold, seed_folds
from lab.tuning.sweep import Evidence, Rows, Tally

SEEDS = seed_folds(range(1, 9))


def made(rng, found, alarms, *, days=50.0, packages=PACKAGE_FOLDS):
    """Evidence of so many of each, with the scores that a function of seed fold and package fold draws."""

    def rows(count, draw):
        seed, package = rng.integers(0, 4, count), rng.integers(0, packages, count)
        score = np.array([draw(one, two) for one, two in zip(seed.tolist(), package.tolist(), strict=True)])
        return Rows(score, rng.integers(0, 100, count), seed, package)

    effort = np.full((4, packages), 100 * days / 4 / packages)
    return Evidence(rows(*found), rows(*alarms), np.full(100, days), effort)


def total(cells):
    return reduce(lambda one, other: one + other, (cell.tally for cell in cells))


def test_seeds_fall_evenly():
    assert sorted(SEEDS.values()) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert seed_folds([5, 3]) == {3: 0, 5: 1}


def test_packages_fall_evenly_and_stay_there():
    folds = [package_fold(f"com.example.app{number}") for number in range(800)]
    assert all(150 < folds.count(fold) < 250 for fold in range(PACKAGE_FOLDS))
    assert folds == [package_fold(f"com.example.app{number}") for number in range(800)]


def test_every_incident_alarm_and_day_is_judged_once(rng):
    said = made(rng, (40, lambda *_: rng.uniform(0.4, 1)), (300, lambda *_: rng.uniform(0, 0.7)))
    cells = left_out(said, SEEDS, 0.002)
    assert len(cells) == 16
    assert total(cells).of == 40
    assert total(cells).device_days == pytest.approx(said.device_days)
    assert {cell.seeds for cell in cells} == {(1, 5), (2, 6), (3, 7), (4, 8)}


def test_what_is_left_out_is_not_looked_at(rng, monkeypatch):
    """The choice of a cell is told no row of its fold of seeds and none of its fold of packages."""
    said = made(rng, (60, lambda *_: 0.9), (60, lambda *_: 0.1))
    seen = []
    monkeypatch.setattr(nested, "chosen", lambda found, alarms, _allowed: seen.append((found, alarms)))
    cells = left_out(said, SEEDS, 0.002)
    for (found, alarms), place in zip(seen, np.ndindex(4, PACKAGE_FOLDS), strict=True):
        assert len(found)
        for part in (found, alarms):
            assert place[0] not in part.seed
            assert place[1] not in part.package
    assert total(cells) == Tally(0, 60, 0, pytest.approx(said.device_days))


def test_without_packages_the_seeds_alone_are_parted(rng):
    said = made(rng, (40, lambda *_: rng.uniform(0.4, 1)), (100, lambda *_: 0.1), packages=1)
    cells = left_out(said, SEEDS, 0.002)
    assert [cell.package_fold for cell in cells] == [None] * 4
    assert (total(cells).found, total(cells).of) == (40, 40)


def test_an_honest_detector_has_hardly_a_gap(rng):
    said = made(rng, (200, lambda *_: rng.uniform(0.5, 1)), (2000, lambda *_: rng.uniform(0, 0.5)))
    outer = total(left_out(said, SEEDS, 0.002))
    assert outer.recall > 0.97
    assert outer.rate <= 0.002


def test_scores_learned_by_heart_show_a_gap(rng):
    """Calm where one fold of packages is, loud elsewhere: the budget held without it is broken with it."""

    def alarm(_seed, package):
        return rng.uniform(0.85, 0.95) if package == 2 else rng.uniform(0, 0.3)

    said = made(rng, (200, lambda *_: rng.uniform(0.5, 1)), (2000, alarm))
    cells = left_out(said, SEEDS, 0.002)
    assert total(cells).rate > 40 * 0.002
    loud = [cell for cell in cells if cell.package_fold == 2]
    assert sum(cell.tally.false_alarms for cell in loud) == total(cells).false_alarms
