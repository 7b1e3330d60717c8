"""Recording: small scenarios whole, fleets block by block where the stage can."""

import pytest

from lab.recording import open_recording
from lab.running import record as module
from lab.running.record import record
from lab.scenario import parse_scenario
from lab.world.compiler import BLOCK


@pytest.fixture
def played(monkeypatch):
    """Which way was taken."""
    ways = []
    for name in ("play", "play_blocks"):
        plain = getattr(module, name)

        def noted(*args, plain=plain, name=name, **how):
            ways.append(name)
            return plain(*args, **how)

        monkeypatch.setattr(module, name, noted)
    return ways


@pytest.mark.parametrize(
    ("stage", "devices", "way"),
    [("flows", BLOCK, "play"), ("flows", BLOCK + 1, "play_blocks"), ("wire", BLOCK + 1, "play")],
)
def test_fleets_are_played_in_blocks_where_the_stage_can(
    stage, devices, way, torch_file, played, monkeypatch, tmp_path
):
    monkeypatch.setattr(module, "_workers", lambda: 1)
    done = []
    fleet = parse_scenario(torch_file("20m", devices).encode(), name="fleet", place="fleet.toml")
    folder = record(stage, fleet, 1, tmp_path / "made", progress=lambda *how: done.append(how))
    assert played == [way]
    assert done[-1][0] == done[-1][1]
    assert len(open_recording(folder).truth().devices) == devices
