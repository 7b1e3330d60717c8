"""A clock that is set is noticed by as much as it was set; one that goes on, and a reading interrupted, are not."""

from __future__ import annotations

import time
from itertools import count

import pytest

from lab.stages.live import steady
from lab.stages.live.steady import Steady, ahead_us

NOW_NS = 1_800_000_000_000_000_000


class Clocks:
    """Both clocks by hand; each reading of the monotonic one takes ``costs`` ns, in turn."""

    def __init__(self, *costs: int) -> None:
        self.passed, self.set_by, self._costs = 0, 0, costs or (100,)
        self._turn = count()

    def monotonic_ns(self) -> int:
        self.passed += self._costs[next(self._turn) % len(self._costs)]
        return self.passed

    def time_ns(self) -> int:
        return NOW_NS + self.passed + self.set_by


@pytest.fixture
def clocks(monkeypatch):
    def made(*costs: int) -> Clocks:
        found = Clocks(*costs)
        monkeypatch.setattr(steady, "time", found)
        return found

    return made


@pytest.mark.parametrize("step_us", [-3_600_000_000, -30_000, 30_000, 86_400_000_000])
def test_a_clock_that_is_set_has_jumped_by_as_much(clocks, step_us) -> None:
    hands = clocks()
    watched = Steady()
    hands.passed += 60_000_000_000
    hands.set_by = step_us * 1_000
    assert abs(watched.jumped_us() - step_us) <= 1


def test_a_clock_that_goes_on_has_not(clocks) -> None:
    hands = clocks()
    watched = Steady()
    hands.passed += 7 * 86_400_000_000_000
    assert abs(watched.jumped_us()) <= 1


def test_a_reading_interrupted_in_between_is_not_taken(clocks) -> None:
    hands = clocks(80_000_000, 80_000_000, 100, 100)  # every other pair of readings has 80 ms in it
    assert abs(ahead_us() - NOW_NS // 1_000) <= 1
    assert hands.passed > 160_000_000


def test_the_real_clock_is_steady_here_and_now() -> None:
    watched = Steady()
    time.sleep(0.001)
    assert abs(watched.jumped_us()) < 5_000
