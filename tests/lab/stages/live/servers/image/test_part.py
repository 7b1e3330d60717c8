"""An answer is due a round trip and its thinking time after what it answers."""

from __future__ import annotations

import pytest


def test_due(plans, part_of):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 5, 5, 25_000),)))
    assert part.due(part.script.turns[1], 10.0) == pytest.approx(10.0 + (plans.RTT_US + 25_000) / 1e6)
