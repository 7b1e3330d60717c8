import numpy as np
import pytest

from lab import catalogue
from lab.errors import ScenarioError
from lab.scenario import compile_scenario, find_scenario, load_scenario, scenario_names


def test_the_faults_of_all_files_are_said_at_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('question = "no"')
    with pytest.raises(ScenarioError) as wrong:
        catalogue.load_all([str(tmp_path / "a.toml"), str(tmp_path / "b.toml"), "smoke-poll", "nonesuch"])
    places = {fault.split(":")[0] for fault in wrong.value.faults}
    assert len(places) == 3
    assert any("nonesuch" in fault for fault in wrong.value.faults)


def test_a_row_says_what_is_carried_and_who_imitates_it():
    rows = {row["name"]: row for row in catalogue.catalogue()}
    assert rows["https-poll-5m"]["analytics"] == ["AN1793"]
    assert "http+tls" in rows["https-poll-5m"]["protocols"]
    assert "core" in rows["https-poll-5m"]["suites"]
    assert any(row["twin_of"] == "https-poll-5m" and row["analytics"] == [] for row in rows.values())


def test_shown_strips_hold_every_exchange():
    shown = catalogue.show("smoke-poll", 3)
    assert shown["speakers"]
    assert all(sum(row["strip"]) == row["exchanges"] for row in shown["speakers"])
    assert {row["analytic"] for row in shown["speakers"]} == {None, "AN1793"}


def test_check_runs_over_a_path_as_over_a_name():
    results = catalogue.check([str(find_scenario("smoke-checkin"))], 1, lambda _done, _total: None)
    assert results
    assert all(row["ok"] for row in results)


def test_a_template_is_never_written_over_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("kept")
    with pytest.raises(ScenarioError, match="exists"):
        catalogue.write_template("mine", path)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("name", scenario_names())
def test_the_protocols_are_those_of_the_timeline(name):
    scenario = load_scenario(find_scenario(name))
    timeline = compile_scenario(scenario, 1)
    used = [timeline.speeches[number] for number in np.unique(timeline.conversations.speech)]
    assert {f"{speech.protocol}+tls" if speech.tls else speech.protocol for speech in used} <= catalogue.spoken(
        scenario
    )


def test_a_protocol_nobody_speaks_is_not_named():
    scenario = load_scenario(find_scenario("smoke-poll"))
    assert catalogue.spoken(scenario) == {"http+tls", "dns"}
