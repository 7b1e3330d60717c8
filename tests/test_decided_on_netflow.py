"""A day that only NetFlow saw: whatever is told of it was decided no earlier than it began, and within that day.

AN1702 had once been decided in a window that later, innocent traffic took down again: before anything it told was seen.
"""

from __future__ import annotations

import pytest

from detector.contract import detector, open_telemetry, view
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play


@pytest.mark.whole
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_decided_before_it_was_seen(seed, tmp_path):
    timeline = compile_scenario(load_scenario(find_scenario("dns-reputation")), seed)
    telemetry = view("netflow")(open_telemetry(play("flows", timeline, tmp_path / "one") / "telemetry"))
    found = list(detector("builtin").detect(telemetry))
    assert found, "control: there is something to tell"
    assert [one for one in found if not one.first_seen <= one.decided_at <= telemetry.span[1]] == []
