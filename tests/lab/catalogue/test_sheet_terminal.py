"""The sheet of a scenario fits a narrow terminal and says what its file says."""

from __future__ import annotations

import pytest

from lab.catalogue.sheet import show
from lab.catalogue.sheet_terminal import _shades, print_scenario


@pytest.fixture(scope="module")
def shown():
    return show("smoke-poll", 1)


@pytest.mark.parametrize("columns", [80, 140])
def test_all_is_said_within_the_width(shown, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    print_scenario(shown)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= columns
    assert all(app["package"] in said for app in shown["apps"])
    flat = " ".join(said.split())
    words = (
        shown["question"],
        "AN1793 (T1437); twins: smoke-checkin",
        "differ in",
        "expected of http-poll",
        "by default: ",
    )
    assert all(word in flat for word in words)
    assert flat.count("exchanges |") == 2
    assert flat.count("Doze |") == 2


def test_lives_conditions_and_phones_are_named(shown, capsys):
    app = shown["apps"][0] | {"installed_s": 3600.0, "sanctioned": True, "roles": ["vpn"]}
    state = shown["state"] | {"vpn": True, "private_dns": True}
    network = shown["network"] | {"mtu": 1400}
    print_scenario(shown | {"apps": [app], "state": state, "network": network, "held_out": True})
    flat = " ".join(capsys.readouterr().out.split())
    words = ("vpn, sanctioned", "installed 1h", "always-on VPN", "Private DNS", "network: mtu 1400", "not for tuning")
    assert [word for word in words if word not in flat] == []


def test_shades_are_shares_of_the_whole():
    assert _shades([0, 0.01, 0.5, 1]) == " ▁▄█"
