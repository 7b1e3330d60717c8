"""The controls mean what they say: who alerts at everything finds all that is shown, and who is silent nothing."""

from __future__ import annotations

import pytest

from lab.running.trial import Plan, run_suite, score_folder
from lab.scenario import suite_names, suite_scenarios
from lab.scoring.matching import APPLESS

QUICK = ("smoke", "live")
VIEWS = ("full", "no-app", "netflow", "dns-only")


def verdicts(suite, folder):
    """The verdicts on every incident, by control, of a suite on the flows stage."""
    name, scenarios = suite_scenarios(suite)
    malicious = tuple(one for one in scenarios if one.analytics)
    run_suite(Plan(name, malicious, (1,), "flows", ("always",), VIEWS), folder, workers=1)
    rows = score_folder(folder).to_json()["incidents"]
    return {control: [row for row in rows if row["detector"] == control] for control in ("always", "silent")}


def places(rows, verdict):
    return [(row["scenario"], row["view"], row["incident"]) for row in rows if row["verdict"] == verdict]


def told_with(row, rows):
    """Whether it is one of two relays of a phone under a view without apps: the one alert for both is one hit."""
    same = ("scenario", "seed", "view", "device", "analytic")
    others = [one for one in rows if all(one[name] == row[name] for name in same) and one["verdict"] == "detected"]
    return row["view"] in APPLESS and row["analytic"] == "AN1702" and bool(others)


def held(suite, folder):
    found = verdicts(suite, folder)
    assert [row for row in found["always"] if row["verdict"] == "missed" and not told_with(row, found["always"])] == []
    assert places(found["always"], "detected")
    assert places(found["silent"], "detected") == []
    assert {*places(found["silent"], "unseen")} >= {*places(found["always"], "unseen")}
    return found


@pytest.mark.parametrize("suite", QUICK)
def test_always_finds_what_is_shown_and_silent_nothing(suite, tmp_path):
    held(suite, tmp_path)


def test_a_tunnel_hides_from_networks_what_sockets_still_show(tmp_path):
    found = held("tunnelled-poll", tmp_path)["always"]
    assert {row["view"]: row["verdict"] for row in found} == {
        "full": "detected",
        "no-app": "unseen",
        "netflow": "unseen",
        "dns-only": "unseen",
    }


def test_of_two_relays_on_a_phone_only_who_sees_apps_finds_both(tmp_path):
    found = held("relay-two-apps", tmp_path)["always"]
    missed = {view: sum(row["verdict"] == "missed" for row in found if row["view"] == view) for view in VIEWS}
    assert missed["full"] == 0 < missed["no-app"]


@pytest.mark.whole
@pytest.mark.parametrize("suite", sorted({*suite_names()} - {*QUICK, "benign-month"}))
def test_the_controls_hold_in_every_suite(suite, tmp_path):
    held(suite, tmp_path)
