"""A phone's day for behaviours to plan in: windows made by hand, and windows of the office worker."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND, Window
from lab.phones.phone import plan_day
from lab.phones.profile import PROFILES

HOUR = 3600 * SECOND


def rows(*pairs):
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def quiet_window(span=24 * HOUR, **intervals):
    """A phone nobody touches and that never dozes, but for the intervals given."""
    names = ("foreground", "unlocked", "screen_on", "doze", "maintenance", "charging", "wifi")
    return Window(span, **{name: intervals.get(name, rows()) for name in names})


def worker_window(seed=1, span=24 * HOUR, apps=1):
    rng = np.random.default_rng(seed)
    day = plan_day(rng, PROFILES["office-worker"], ["communication"] * apps, 0, span)
    return Window(span, day.uses[day.front == 0], day.unlocked, day.screen_on, day.doze.asleep, day.doze.maintenance)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def quiet():
    return quiet_window()


@pytest.fixture
def worker():
    return worker_window()


@pytest.fixture
def windows():
    return quiet_window


@pytest.fixture
def interval():
    return rows


@pytest.fixture
def workers():
    return worker_window
