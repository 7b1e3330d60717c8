"""A small recording's telemetry, rules written for a test, and Suricata itself where it is installed."""

from __future__ import annotations

import pytest

from detector.contract import Unsupported, open_telemetry
from detector.suricata.engine import installed
from detector.suricata.rules import read_rules
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play

DIALS = 'alert tcp $HOME_NET any -> any 443 (msg:"dials"; flags:S; {}metadata:mitre_technique_id T1437; sid:{}; rev:1;)'


@pytest.fixture(scope="session")
def telemetry(tmp_path_factory):
    """Telemetry of two phones that poll, with packets."""
    folder = tmp_path_factory.mktemp("suricata") / "rec"
    play("wire", compile_scenario(load_scenario(find_scenario("smoke-poll")), 7), folder)
    return open_telemetry(folder / "telemetry")


@pytest.fixture
def engine():
    """The installed Suricata; the test is skipped, saying so, where there is none."""
    try:
        return installed()
    except Unsupported as fault:
        pytest.skip(str(fault))


@pytest.fixture
def ruled(tmp_path):
    """Rules written to a file, read back."""

    def ruled(*lines: str):
        path = tmp_path / "x.rules"
        path.write_text("".join(line + "\n" for line in lines))
        return read_rules(path)

    return ruled
