import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lab.cli import app

ASK = CliRunner()
ROW = {"name", "question", "analytics", "behaviours", "protocols", "twin_of", "span_s", "devices", "suites"}


def ask(*words):
    return ASK.invoke(app, [str(word) for word in words])


def test_check_proves_the_expectations_and_fails_a_broken_promise(tmp_path):
    from lab.scenario import find_scenario

    good = ask("scenario", "check", "smoke-poll", "--json")
    assert good.exit_code == 0
    checks = json.loads(good.stdout)["checks"]
    assert json.loads(good.stdout)["counts"]["failed"] == 0
    assert checks
    assert all(check["ok"] for check in checks)
    text = find_scenario("smoke-poll").read_text()
    assert "at_least" in text
    broken = tmp_path / "broken.toml"
    broken.write_text(text[: text.index("[[expect]]")] + _expect(checks[0]["behaviour"], at_least=10**6))
    answer = ask("scenario", "check", broken)
    assert answer.exit_code == 2
    assert "FAIL" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "1 expectation, 1 failed; 1 scenario, 0 proved"


def _expect(behaviour, at_least):
    return f'[[expect]]\nbehaviour = "{behaviour}"\ncontacts = {{ at_least = {at_least} }}\n'


def test_check_takes_a_stage_and_seeds(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    answer = ask("scenario", "check", "smoke-poll", "--stage", "flows", "--seeds", "2", "--json")
    assert answer.exit_code == 0
    assert {(row["stage"], row["seed"]) for row in json.loads(answer.stdout)["checks"]} == {("flows", 1), ("flows", 2)}
    assert ask("scenario", "check", "smoke-poll", "--stage", "flow").exit_code == 2


def test_the_list_is_stable_json_and_can_be_narrowed():
    rows = json.loads(ask("scenario", "list", "--json").stdout)["scenarios"]
    assert all(set(row) >= ROW | {"technique", "twins", "held_out", "background_apps"} for row in rows)
    narrowed = ask("scenario", "list", "--suite", "smoke", "--malicious", "--protocol", "http", "--analytic", "AN1793")
    assert narrowed.exit_code == 0
    assert "1 scenario: 1 malicious" in narrowed.stdout
    unknown = ask("scenario", "list", "--protocol", "gopher")
    assert unknown.exit_code == 2
    assert "known are" in unknown.stderr


def test_show_and_new(tmp_path):
    shown = ask("scenario", "show", "smoke-poll")
    assert shown.exit_code == 0
    assert "http-poll" in shown.stdout
    assert json.loads(ask("scenario", "show", "smoke-poll", "--json").stdout)["name"] == "smoke-poll"
    fresh = tmp_path / "fresh.toml"
    assert ask("scenario", "new", "fresh", "-o", fresh).exit_code == 0
    assert ask("scenario", "check", fresh, "--stage", "flows").exit_code == 0
    assert ask("scenario", "new", "fresh", "-o", fresh).exit_code == 2


def test_kinds_and_protocols_are_listed_and_shown():
    assert any(
        row["kind"] == "http-poll" for row in json.loads(ask("behaviour", "list", "--json").stdout)["behaviours"]
    )
    assert any(row["protocol"] == "http" for row in json.loads(ask("protocol", "list", "--json").stdout)["protocols"])
    assert "period" in ask("behaviour", "show", "http-poll").stdout
    assert json.loads(ask("behaviour", "show", "http-poll", "--json").stdout)["kind"] == "http-poll"
    assert "tcp" in ask("protocol", "show", "http").stdout
    assert json.loads(ask("protocol", "show", "http", "--json").stdout)["protocol"] == "http"
    assert ask("behaviour", "show", "http-pol").exit_code == 2
    assert ask("protocol", "show", "htpt").exit_code == 2


def test_detectors_are_listed():
    names = {row["name"] for row in json.loads(ask("detector", "list", "--json").stdout)["detectors"]}
    assert {"builtin", "silent", "always"} <= names


@pytest.fixture
def few(monkeypatch):
    """The report over four pairs' apps a suite, and a pool of the smoke suite alone that is called well."""
    from lab.catalogue import shortcuts as module
    from lab.catalogue.columns import OK

    judge, smoke = module.reported, module.suite_scenarios("smoke")[1]

    def small(name, scenarios, _apps, advance):
        report = judge(name, scenarios, 4, advance)
        well = tuple(replace(one, stump=0.5, verdict=OK) for one in report.columns)
        return replace(report, columns=well) if name == module.POOL else report

    monkeypatch.setattr(module, "reported", small)
    monkeypatch.setattr(module, "pooled", lambda: smoke)


@pytest.mark.usefixtures("few")
def test_shortcuts_are_told_and_a_leak_exits_2(tmp_path):
    fair = ask("scenario", "shortcuts", "smoke", "--json")
    assert fair.exit_code == 0
    report, whole = json.loads(fair.stdout)["shortcuts"]
    assert (report["suite"], report["leaks"], report["unbundled"], whole["suite"]) == ("smoke", [], [], "all suites")
    assert {"table", "column", "among", "stump", "tree", "deviation", "verdict"} <= set(report["columns"][0])
    alone = tmp_path / "alone.toml"
    alone.write_text('question = "Does a tunnel tell?"\nscenarios = ["live-socks5"]\n')
    leaky = ask("scenario", "shortcuts", alone)
    assert leaky.exit_code == 2
    assert "protocol socks5 inbound: spoken by attacks only" in " ".join(leaky.stdout.split())


@pytest.mark.usefixtures("few")
def test_what_looks_like_a_leak_and_nobody_can_judge_exits_2(monkeypatch):
    monkeypatch.setattr("lab.catalogue.shortcuts.pooled", lambda: ())
    doubtful = ask("scenario", "shortcuts", "smoke")
    assert doubtful.exit_code == 2
    text = " ".join(doubtful.stdout.split())
    assert "too few to tell, and it looks like a leak" in text
    assert "make these columns alike in each malicious scenario and its twin, or add such pairs" in text


@pytest.mark.parametrize("name", ["smok", "https-poll-5m"])
def test_shortcuts_are_a_suites_and_only_suites_are_named(name):
    answer = ask("scenario", "shortcuts", name)
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"error: unknown suite '{name}'")
    assert "scenario list" not in answer.stderr
    assert len(answer.stderr) < 300
