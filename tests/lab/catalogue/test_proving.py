"""Every promise is proved, each failure says who must act, and an interrupt leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import pytest

from lab.catalogue import proving
from lab.catalogue.proving import check, counts, exit_code
from lab.errors import ScenarioError, StageError
from lab.scenario import find_scenario


def quiet(_done, _total):
    return None


def scenario_file(tmp_path, name="smoke-poll", **changes):
    text = find_scenario(name).read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("stage", ["wire", "flows"])
def test_a_suite_is_proved_on_each_stage_under_each_seed(stage):
    rows = check(["smoke"], [1, 2], quiet, stage=stage, workers=1)
    assert {(row["scenario"], row["seed"]) for row in rows} == {
        (name, seed) for name in ("smoke-poll", "smoke-checkin") for seed in (1, 2)
    }
    assert all(row["ok"] and row["stage"] == stage for row in rows)
    assert exit_code(rows) == 0


def test_check_runs_over_a_path_as_over_a_name():
    rows = check([str(find_scenario("smoke-checkin"))], [1], quiet)
    assert rows
    assert all(row["ok"] for row in rows)


def test_workers_bring_the_same_rows_in_the_same_order():
    names = ["smoke-poll", "smoke-checkin"]
    alone, together = (check(names, [1], quiet, stage="flows", workers=count) for count in (1, 2))
    assert alone == together


def test_the_faults_of_all_files_come_before_any_play(tmp_path):
    bad = scenario_file(tmp_path, question=('kind = "http-poll"', 'kind = "http-pol"'))
    with pytest.raises(ScenarioError) as wrong:
        check([bad, "nonesuch", "smoke-poll"], [1], lambda *_: pytest.fail("played"))
    said = "\n".join(wrong.value.faults)
    assert "http-pol" in said
    assert "nonesuch" in said


def test_a_file_that_is_not_there_hides_no_other_fault_and_no_file_another(tmp_path):
    bad = scenario_file(tmp_path, question=('kind = "http-poll"', 'kind = "http-pol"'))
    (tmp_path / "there").mkdir()
    again = scenario_file(tmp_path / "there")
    lost = str(tmp_path / "lost.toml")
    with pytest.raises(ScenarioError) as wrong:
        check([lost, bad, again], [1], lambda *_: pytest.fail("played"))
    said = "\n".join(wrong.value.faults)
    assert f"{lost}: no such scenario file" in said
    assert "unknown kind 'http-pol'" in said
    assert "scenario 'mine' is in two files" in said


def test_a_routable_destination_is_refused(tmp_path):
    bad = scenario_file(tmp_path, setting=('kind = "http-poll"', 'kind = "http-poll"\nreach = "c2.example.com"'))
    with pytest.raises(ScenarioError, match="routable"):
        check([bad], [1], quiet)


@pytest.mark.parametrize(
    ("twin_of", "word"),
    [("nonesuch", "no such scenario"), ("ordinary-day", "no labelled behaviour")],
)
def test_a_twin_of_nothing_malicious_is_no_twin(tmp_path, twin_of, word):
    path = scenario_file(tmp_path, "smoke-checkin", twin=('twin_of = "smoke-poll"', f'twin_of = "{twin_of}"'))
    with pytest.raises(ScenarioError, match=word):
        check([path], [1], quiet, stage="flows")


def test_a_stage_that_needs_a_lab_is_refused():
    with pytest.raises(ScenarioError, match="real time"):
        check(["smoke-poll"], [1], quiet, stage="live")


@pytest.mark.parametrize(("fault", "code"), [(StageError("it broke"), 3), (ScenarioError(["too many"]), 2)])
def test_what_does_not_play_is_a_failure_of_whoever_must_act(fault, code, monkeypatch):
    def broken(*_args):
        raise fault

    monkeypatch.setattr(proving, "compile_scenario", broken)
    rows = check(["smoke-poll", "smoke-checkin"], [1], quiet, workers=1)
    assert len(rows) == 2
    assert exit_code(rows) == code
    assert counts(rows) == {"expectations": 0, "failed": 0, "scenarios": 2, "proved": 0, "not_played": 2}


def test_a_lost_worker_is_a_failure_of_the_lab():
    from lab.scenario import load_scenario

    rows = proving._lost((load_scenario(find_scenario("smoke-poll")), 1, "wire", Path()), "killed")
    assert exit_code(rows) == 3


def test_an_interrupt_ends_the_workers_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def interrupted(done, _total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(["smoke"], [1, 2, 3], interrupted, stage="flows", workers=2)
    assert multiprocessing.active_children() == []
    assert list(tmp_path.glob("droidrange-check-*")) == []


def test_a_promise_counts_once_over_phones_and_seeds_and_fails_on_any():
    rows = check(["smoke-poll"], [1, 2], quiet, stage="flows", workers=1)
    assert len(rows) == 2
    assert counts(rows) == {"expectations": 1, "failed": 0, "scenarios": 1, "proved": 1, "not_played": 0}
    rows[1]["ok"] = False
    assert counts(rows) == {"expectations": 1, "failed": 1, "scenarios": 1, "proved": 0, "not_played": 0}


def test_one_authors_exception_costs_nobody_else_a_proof(monkeypatch):
    from lab.behaviours import http_poll

    def broken(_self, _rng, _window):
        return 1 / 0

    monkeypatch.setattr(http_poll.Behaviour, "plan", broken)
    rows = check(["smoke-poll", "ordinary-day"], [1], quiet, stage="flows", workers=1)
    failed = [row for row in rows if not row["ok"]]
    assert [(row["scenario"], row["exit"]) for row in failed] == [("smoke-poll", 2)]
    assert "ZeroDivisionError" in failed[0]["fault"]
    assert any(row["scenario"] == "ordinary-day" for row in rows if row["ok"])
    assert [counts(rows)[name] for name in ("scenarios", "proved", "not_played")] == [2, 1, 1]


def test_whose_exception_it_is_decides_the_exit_code(monkeypatch):
    def broken(*_args):
        raise RuntimeError("ours")

    monkeypatch.setattr(proving, "prove_recording", broken)
    rows = check(["smoke-poll"], [1], quiet, stage="flows", workers=1)
    assert exit_code(rows) == 3
    assert "RuntimeError: ours" in rows[0]["fault"]


def test_a_malicious_scenario_without_a_promise_is_refused(tmp_path):
    text = find_scenario("smoke-poll").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text[: text.index("[[expect]]")])
    with pytest.raises(ScenarioError, match=r"mine\.toml: expect: .*every malicious scenario needs one"):
        check([str(path)], [1], quiet)


def test_faults_of_twins_and_fields_come_together(tmp_path):
    path = scenario_file(
        tmp_path,
        "smoke-checkin",
        twin=('twin_of = "smoke-poll"', 'twin_of = "smoke-pol"'),
        question=('question = "', 'question = "? '),
    )
    with pytest.raises(ScenarioError) as wrong:
        check([path], [1], quiet)
    assert [fault.split(": ")[1] for fault in wrong.value.faults] == ["twin_of", "question"]


def test_a_twin_of_another_span_is_refused(tmp_path):
    import re

    text = find_scenario("smoke-checkin").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(re.sub(r'span = "\w+"', 'span = "31m"', text))
    with pytest.raises(ScenarioError, match=r"mine\.toml: twin_of 'smoke-poll': span: found 31m"):
        check([str(path)], [1], quiet)


def test_a_malicious_scenario_without_a_twin_is_noticed_and_one_beside_it_is_its_twin(tmp_path):
    path = scenario_file(tmp_path, "smoke-poll")
    rows = check([path], [1], quiet, stage="flows", workers=1)
    assert exit_code(rows) == 0
    notices = [(row["scenario"], row["notice"]) for row in rows if "notice" in row]
    assert notices == [("mine", "no benign scenario has it as its twin_of")]
    twin = find_scenario("smoke-checkin").read_text().replace('"smoke-poll"', '"mine"')
    (tmp_path / "its-twin.toml").write_text(twin)
    for name in ("mine", "its-twin"):
        beside = check([str(tmp_path / f"{name}.toml")], [1], quiet, stage="flows", workers=1)
        assert all(row["ok"] and "notice" not in row for row in beside)
