"""Device states at moments and over spans; before the first row nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from detector.device_states import UNKNOWN, states_by_device

S = 1_000_000


@pytest.fixture
def states(made):
    made.state(20, locked=False, foreground=7)
    made.state(10, locked=True)
    made.state(50, locked=True)
    made.state(0, locked=False, device="phone-02")
    return states_by_device(made.telemetry()["device_state"])["phone-01"]


def test_locked(states):
    assert states.locked_at(np.array([5, 10, 19, 20, 49, 50, 500]) * S).tolist() == [UNKNOWN, 1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("uid", "expected"), [(7, [UNKNOWN, 1, 0, 1]), (8, [UNKNOWN, 1, 1, 1]), (None, [UNKNOWN, 1, 0, 1])]
)
def test_background(states, uid, expected):
    assert states.background_at(np.array([5, 15, 30, 60]) * S, uid).tolist() == expected


def test_idle(states):
    assert states.idle_at(np.array([5, 11, 49, 200]) * S, 25).tolist() == [UNKNOWN, 0, 1, 1]


@pytest.mark.parametrize(("span", "expected"), [((0, 100), (60, 30)), ((15, 30), (5, 10)), ((0, 5), (0, 0))])
def test_lock_seconds(states, span, expected):
    assert states.lock_seconds((span[0] * S, span[1] * S)) == expected
