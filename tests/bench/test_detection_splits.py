"""The splits of the comparison: what may be tuned on, and what was never tuned on."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.authoring.held_out import held_out
from tests.bench.detection.splits import CALIBRATION, TEST, Splits, side_of

PACKAGES = [f"com.example.app{k}" for k in range(400)]
OURS = next(one for one in PACKAGES if side_of(one) == CALIBRATION)
THEIRS = next(one for one in PACKAGES if side_of(one) == TEST)
SPLITS = Splits((101,), (1, 2), frozenset({"kept-aside"}))


def test_seed_on_both_sides_is_refused():
    with pytest.raises(ValueError, match=r"found \[2\] on both sides"):
        Splits((1, 2), (2, 3))


def test_side_without_seeds_is_refused():
    with pytest.raises(ValueError, match="a side without any"):
        Splits((), (1,))


def test_seed_that_was_not_given_is_unknown():
    with pytest.raises(LookupError, match="found 7"):
        SPLITS.side(7)


def test_packages_fall_in_halves_and_stay_there():
    share = sum(side_of(one) == TEST for one in PACKAGES) / len(PACKAGES)
    assert 0.4 < share < 0.6
    assert [side_of(one) for one in PACKAGES] == [side_of(one) for one in PACKAGES]


@pytest.mark.parametrize(
    ("seed", "scenario", "package", "may"),
    [
        (101, "poll", OURS, True),
        (101, "poll", None, True),
        (101, "poll", THEIRS, False),
        (101, "kept-aside", OURS, False),
        (1, "poll", OURS, False),
        (1, "poll", THEIRS, False),
    ],
)
def test_what_may_be_tuned_on(seed, scenario, package, may):
    assert SPLITS.tunable(seed, scenario, package) is may


@pytest.mark.parametrize("scenario", ["poll", "kept-aside"])
@pytest.mark.parametrize("package", [OURS, THEIRS, None])
@pytest.mark.parametrize("seed", [101, 1])
def test_nothing_is_both_tunable_and_fresh(seed, scenario, package):
    assert not (SPLITS.tunable(seed, scenario, package) and SPLITS.fresh(seed, scenario, package))


def test_family_held_out_is_fresh_whatever_its_packages():
    assert SPLITS.fresh(1, "kept-aside", OURS)
    assert not SPLITS.fresh(101, "kept-aside", THEIRS)


def test_families_of_the_shelf_are_never_tunable():
    splits = Splits((101,), (1,), held_out())
    assert splits.held_out
    assert not any(splits.tunable(101, scenario, OURS) for scenario in splits.held_out)
