"""A timeline's offsets say which exchanges belong to which conversation."""

from __future__ import annotations

import numpy as np

from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.timeline import POWER_STATES


def test_offsets_cut_the_exchanges_by_conversation():
    timeline = compile_scenario(load_scenario(find_scenario("smoke-poll")), 1)
    offsets = timeline.exchange_slices()
    assert offsets[0] == 0
    assert len(offsets) == len(timeline.conversations.start) + 1
    for row in range(len(timeline.conversations.start)):
        part = timeline.exchanges.conversation[offsets[row] : offsets[row + 1]]
        assert set(part.tolist()) <= {row}
    assert np.all(np.diff(offsets) >= 1), "every conversation says something"


def test_states_name_a_power_state():
    timeline = compile_scenario(load_scenario(find_scenario("smoke-poll")), 1)
    assert set(timeline.states.power.tolist()) <= set(range(len(POWER_STATES)))
    assert timeline.states.time.min() == timeline.start
    assert timeline.twin_of == ""
