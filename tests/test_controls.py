"""The controls mean what they say: who alerts at everything finds all that is shown, and who is silent nothing.

``make bench-controls`` holds them over the largest suite, which takes minutes.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

QUICK, WHOLE = ("smoke", "live"), ("an1702", "core")  # these two: both analytics and every verdict, in 80 CPU s
ANALYTICS = ("AN1702", "AN1793")


@pytest.fixture(scope="module")
def check():
    bench = str(Path(__file__).parent / "bench")
    sys.path.insert(0, bench)
    yield import_module("check_controls")
    sys.path.remove(bench)


@pytest.fixture
def held(check, tmp_path):
    """The verdicts of a suite in which the controls do what they say."""

    def held(suite):
        found = check.verdicts(suite, tmp_path / suite)
        assert check.faults(found) == []
        return found

    return held


@pytest.mark.parametrize("suite", QUICK)
def test_always_finds_what_is_shown_and_silent_nothing(suite, held):
    held(suite)


def test_controls_that_do_not_are_told(check, held):
    found = held("smoke")
    always, silent = found["always"], found["silent"]
    swapped = check.faults({"always": silent, "silent": always})
    assert sum(fault.startswith("always missed") for fault in swapped) == len(always)
    assert sum(fault.startswith("silent detected") for fault in swapped) == len(always)
    assert "always detected nothing" in swapped
    shy = [{**always[0], "verdict": "unseen"}, *always[1:]]
    assert [fault.split(":")[0] for fault in check.faults({"always": shy, "silent": silent})] == [
        "unseen by always alone"
    ]


def test_the_table_says_so_and_ends_as_it_must(check, monkeypatch, capsys):
    row = {"scenario": "s", "seed": 1, "view": "full", "device": "d", "incident": "i", "analytic": "AN1793"}
    found = {"always": [{**row, "verdict": "detected"}], "silent": [{**row, "verdict": "missed"}]}
    monkeypatch.setattr(check, "verdicts", lambda _suite, _folder: found)
    assert check.main(["smoke"]) == 0
    assert "| smoke | always | AN1793 | 1 | 0 | 0 |" in capsys.readouterr().out
    found["silent"] = found["always"]
    assert check.main(["smoke"]) == 3
    assert "smoke: silent detected ('s', 'full', 'i')" in capsys.readouterr().err


def test_a_tunnel_hides_from_networks_what_sockets_still_show(held):
    found = held("tunnelled-poll")["always"]
    assert {row["view"]: row["verdict"] for row in found} == {
        "full": "detected",
        "no-app": "unseen",
        "netflow": "unseen",
        "dns-only": "unseen",
    }


def test_of_two_relays_on_a_phone_only_who_sees_apps_finds_both(check, held):
    found = held("relay-two-apps")["always"]
    missed = {view: sum(row["verdict"] == "missed" for row in found if row["view"] == view) for view in check.VIEWS}
    assert missed["full"] == 0 < missed["no-app"]


@pytest.mark.whole
@pytest.mark.parametrize("suite", WHOLE)
def test_the_controls_hold_in_suites_of_both_analytics(suite, held):
    found = held(suite)
    assert {row["analytic"] for row in found["always"]} == {*ANALYTICS}
    assert {row["verdict"] for row in found["always"]} >= {"detected", "unseen"}


def test_the_largest_suite_has_what_the_tests_have_not(check):
    from lab.scenario import load_suite, suite_names

    apart = {*QUICK, "benign-month"}  # the tests have the first, and nobody is malicious in the last
    names = {name: {*load_suite(name).scenarios} for name in suite_names()}
    assert [name for name, has in names.items() if name not in apart and not has <= names[check.LARGEST]] == []
