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
    app = shown["apps"][0] | {"installed_s": 3600.0, "sanctioned": True, "roles": ["vpn"], "exempt": True}
    state = shown["state"] | {"vpn": True, "private_dns": True}
    network = shown["network"] | {"mtu": 1400}
    print_scenario(shown | {"apps": [app], "state": state, "network": network, "held_out": True})
    flat = " ".join(capsys.readouterr().out.split())
    words = (
        "vpn, sanctioned, exempt from Doze",
        "installed 1h",
        "always-on VPN",
        "Private DNS",
        "network: mtu 1400",
        "not for tuning",
    )
    assert [word for word in words if word not in flat] == []


def said_of(name, capsys):
    print_scenario(show(name, 1))
    return " ".join(capsys.readouterr().out.split())


def test_without_a_library_no_app_of_it_is_counted(capsys):
    said = said_of("live-imap", capsys)
    assert "; no apps of the library " in said
    assert "of the library and" not in said
    assert "exchanges of the phones' own look-ups and tunnels" in said
    assert "1 device; 1 h from 2026-03-02T" in said


def test_a_twin_imitates_and_a_promise_is_each_devices(capsys):
    said = said_of("smoke-checkin", capsys)
    assert "smoke-checkin and smoke-poll, which it imitates, differ in" in said
    assert (
        "of com.orchard.notes, on each device that has it: contacts >=" in said or "on each device that has it" in said
    )
    assert " B" in said


def test_who_says_nothing_under_a_seed_is_listed_all_the_same(shown, capsys):
    silent = shown["speakers"][0]["behaviour"]
    assert silent
    kept = [row for row in shown["speakers"] if row["system"] or row["background"]]
    print_scenario(shown | {"speakers": kept})
    said = capsys.readouterr().out
    assert all(app["package"] in said.split("over the whole span")[1] for app in shown["apps"])


def test_shades_are_shares_of_the_whole():
    assert _shades([0, 0.01, 0.5, 1]) == " ▁▄█"
