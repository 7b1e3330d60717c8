"""Trials of held-out families carry their mark from the run to whoever would tune by it."""

import json

from lab.authoring.held_out import held_out
from lab.running.run import load_run
from lab.running.trial import Plan, run_suite
from lab.scenario import find_scenario, load_scenario


def test_every_trial_of_a_held_out_scenario_says_so_and_no_other(tmp_path, monkeypatch):
    scenarios = [load_scenario(find_scenario(name)) for name in ("smoke-poll", "smoke-checkin")]
    monkeypatch.setattr("lab.running.trial.held_out", lambda: held_out() | {"smoke-poll"})
    run_suite(Plan("smoke", scenarios, (1,), "flows", views=("full", "netflow")), tmp_path, workers=1)
    rows = json.loads((tmp_path / "run.json").read_text())["trials"]
    assert {(row["scenario"], row["held_out"]) for row in rows} == {("smoke-poll", True), ("smoke-checkin", False)}
    assert {(one.scenario, one.held_out) for one in load_run(tmp_path)} == {
        ("smoke-poll", True),
        ("smoke-checkin", False),
    }
