import json

from typer.testing import CliRunner

from lab.cli import app

ASK = CliRunner()


def ask(*words):
    return ASK.invoke(app, [str(word) for word in words])


def test_check_proves_the_expectations_and_fails_a_broken_promise(tmp_path):
    from lab.scenario import find_scenario

    good = ask("scenario", "check", "smoke-poll", "--json")
    assert good.exit_code == 0
    checks = json.loads(good.stdout)["checks"]
    assert checks
    assert all(check["ok"] for check in checks)
    text = find_scenario("smoke-poll").read_text()
    assert "at_least" in text
    broken = tmp_path / "broken.toml"
    broken.write_text(text[: text.index("[[expect]]")] + _expect(checks[0]["behaviour"], at_least=10**6))
    answer = ask("scenario", "check", broken)
    assert answer.exit_code == 2
    assert "FAIL" in answer.stdout


def _expect(behaviour, at_least):
    return f'[[expect]]\nbehaviour = "{behaviour}"\ncontacts = {{ at_least = {at_least} }}\n'


def test_list_show_and_new(tmp_path):
    rows = json.loads(ask("scenario", "list", "--json").stdout)["scenarios"]
    keys = {"name", "question", "analytics", "behaviours", "protocols", "twin_of", "span_s", "devices", "suites"}
    assert all(set(row) == keys for row in rows)
    assert ask("scenario", "list").exit_code == 0
    shown = ask("scenario", "show", "smoke-poll")
    assert shown.exit_code == 0
    assert "http-poll" in shown.stdout
    fresh = tmp_path / "fresh.toml"
    assert ask("scenario", "new", "fresh", "-o", fresh).exit_code == 0
    assert ask("scenario", "check", fresh).exit_code == 0
    assert ask("scenario", "new", "fresh", "-o", fresh).exit_code == 2


def test_detectors_are_listed():
    names = {row["name"] for row in json.loads(ask("detector", "list", "--json").stdout)["detectors"]}
    assert {"builtin", "silent", "always"} <= names
