"""The containers' run arguments pass the engine's policy and mount the plans read-only."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.stages.live.engine.policy import refusals
from lab.stages.live.engine.session import Owner, Session
from lab.stages.live.servers.services import PLANS, ROLES, arguments


@pytest.mark.parametrize("role", ROLES)
def test_arguments(role, tmp_path):
    session = Session(id="0" * 8, folder=tmp_path, owner=Owner(1, 1, "boot"), expires=0, kept=False)
    made = arguments(role, tmp_path / "plans", address="10.77.9.3", host="10.77.9.1", gateway="100.64.77.1")
    assert refusals(session, {key: value for key, value in made.items() if key != "address"}) == []
    assert made["volumes"] == {str(tmp_path / "plans"): {"bind": PLANS, "mode": "ro"}}
    assert made["user"] != "0:0"
    assert role in made["command"]
    assert made["address"] == made["command"][made["command"].index("--address") + 1] == "10.77.9.3"


def test_another_role_is_refused():
    with pytest.raises(ValueError, match="servers, strangers"):
        arguments("gateway", Path("plans"), address="a", host="b", gateway="c")
