"""People talk while the app is open and are written to all day."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND, Window
from lab.habits.chatter import ANSWER, RECEIPT, Chatter
from lab.habits.clock import inside

HOUR = 3600 * SECOND


def test_messages_come_all_day_and_go_while_open():
    none, open_ = np.zeros((0, 2), dtype=np.int64), np.array([[8 * HOUR, 10 * HOUR]])
    window = Window(24 * HOUR, open_, none, none, none, none)
    said = Chatter(10.0, 60.0, 300).words(np.random.default_rng(1), window)
    sent, received = said.down == ANSWER, said.up == 0
    assert inside(said.time[sent], open_).all()
    assert sent.sum() == pytest.approx(120, abs=40)
    assert received.sum() == pytest.approx(240 + 120, abs=70)
    assert (said.up == RECEIPT).sum() >= received.sum()
    assert np.median(said.down[received]) == pytest.approx(300, rel=0.2)
    assert np.all(np.diff(said.time) >= 0)
