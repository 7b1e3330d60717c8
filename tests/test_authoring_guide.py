"""The authoring guide is true: its files, added to a copy of the tree, are all that is needed, and its commands work."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.authoring.scenario_file import (
    AppTable,
    BackgroundTable,
    BehaviourTable,
    ExpectTable,
    LibraryTable,
    NetworkTable,
    ScenarioTable,
    StateTable,
)

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/scenarios.md").read_text()
FILES = dict(re.findall(r"^`([\w/.-]+)`:\n\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))
BLOCKS = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = [line.split(" #")[0].strip() for block in BLOCKS for line in block.splitlines()]
#: Runs commands one after the other in one process, as the command line would, and prints [exit code, stdout] of each.
DRIVER = """
import json, os, sys
os.cpu_count = lambda: 1  # tests of lab/catalogue/proving.py have workers; here they would only take time to start
from typer.testing import CliRunner
from lab.cli import app
answers = [CliRunner().invoke(app, words) for words in json.load(sys.stdin)]
print(json.dumps([[one.exit_code, one.stdout, one.stderr] for one in answers]))
"""


def ask(tree, commands):
    """(exit code, stdout, stderr) of each command, with the packages and scenarios of ``tree``."""
    words = [shlex.split(command.removeprefix("droidrange ")) for command in commands]
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(words),
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("lab", "detector", "scenarios")
        for path in (folder / name).rglob("*")
        if path.is_file() and path.suffix in {".py", ".toml"}
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree and, in it, the files of the guide: nothing else is added, nothing edited."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("lab", "detector", "scenarios"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    before = contents(copy)
    added_to(copy, before)
    return copy


def added_to(copy, before):
    """Saves the files of the guide; who has followed it has them already, word for word, and nothing else changes."""
    for path, text in FILES.items():
        assert before.get(path, text.encode()) == text.encode(), f"{path} is there, and is not the guide's"
        (copy / path).write_text(text)
    after = contents(copy)
    assert {path: after[path] for path in before} == before
    assert set(after) - set(before) == set(FILES) - set(before)


def test_who_has_followed_the_guide_can_run_its_tests(tmp_path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    added_to(tmp_path, contents(tmp_path))
    changed = next(iter(FILES))
    (tmp_path / changed).write_text("# another file of that name\n")
    with pytest.raises(AssertionError, match=r"is there, and is not the guide's"):
        added_to(tmp_path, contents(tmp_path))


PROBES = (
    "scenario list --protocol netstring --json",
    "behaviour show step-report --json",
    "scenario show steps-at-locking --json",
    "scenario check steps-at-locking --stage wire --json",
    "scenario check steps-at-locking --stage flows --json",
)
LISTED = "scenario list --json"
DAY_S = 86_400
WRONG = ("scenario show no-such-thing", "scenario lst")


@pytest.fixture(scope="module")
def answers(tree):
    """What every command of the guide answers, run in its order, and what the probes of this file do."""
    commands = [*COMMANDS, *PROBES, LISTED, *WRONG]
    return dict(zip(commands, ask(tree, commands), strict=True))


def test_the_guide_adds_one_file_of_each_sort():
    assert sorted(str(Path(path).parent) for path in FILES) == [
        "lab/behaviours",
        "lab/protocols",
        "scenarios/apps",
        "scenarios/benign",
    ]
    assert len(COMMANDS) > 10
    assert all(command.startswith("droidrange ") for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_guide_works(answers, command):
    code, out, err = answers[command]
    assert code == 0, err or out
    assert out


def test_a_command_that_does_not_work_is_noticed(answers):
    assert [answers[command][0] for command in WRONG] == [2, 2]
    assert "unknown scenario" in answers[WRONG[0]][2]


def test_one_file_each_is_listed_shown_and_played(answers):
    assert "step-report" in answers["droidrange behaviour list"][1]
    assert "netstring" in answers["droidrange protocol list"][1]
    listed, kind, shown, *_ = (json.loads(answers[command][1]) for command in PROBES)
    (row,) = listed["scenarios"]
    assert (row["name"], row["subject_protocols"], row["background_apps"]) == ("steps-at-locking", ["netstring+tls"], 3)
    assert kind["used_by"] == {"labelled": [], "benign": ["steps-at-locking"], "library": ["com.ptarmigan.strides"]}
    heard = {speaker["package"] for speaker in shown["speakers"] if speaker["behaviour"] == "step-report"}
    assert heard == {"com.plover.paces", "com.ptarmigan.strides"}
    assert "com.ptarmigan.strides" in answers["droidrange inspect rec"][1]


def test_the_same_files_say_the_same_on_both_stages(answers):
    wire, flows = (json.loads(answers[command][1])["checks"] for command in PROBES[-2:])
    assert [row["stage"] for row in wire + flows] == ["wire"] * len(wire) + ["flows"] * len(flows)
    assert wire
    assert [(row["device"], row["found"]) for row in wire] == [(row["device"], row["found"]) for row in flows]


TABLES = (
    ScenarioTable,
    StateTable,
    NetworkTable,
    BackgroundTable,
    AppTable,
    BehaviourTable,
    ExpectTable,
    LibraryTable,
)


@pytest.mark.parametrize(
    ("table", "field"), [(table, field) for table in TABLES for field in table.model_fields], ids=str
)
def test_every_field_is_explained(table, field):
    nested = {"app", "behaviour", "expect", "state", "network", "background"}
    assert f"`{field}`" in GUIDE or f"`{field} = " in GUIDE or (field in nested and f"{field}]" in GUIDE)


def test_the_readme_promises_what_is_there(answers):
    """Numbers of the README against what ``scenario list --json`` prints, the guide's own scenario left out."""
    said = " ".join((ROOT / "README.md").read_text().split())
    listed = json.loads(answers[LISTED][1])["scenarios"]
    rows = [row for row in listed if f"scenarios/benign/{row['name']}.toml" not in FILES]
    malicious = [row for row in rows if row["analytics"]]
    by_themselves = [row for row in rows if not row["analytics"] and not row["twin_of"]]
    numbers = re.search(
        r"More than (\d+) malicious scenarios, more than (\d+) of them of a day or longer, each with a benign twin, "
        r"and more than (\d+) honest ones besides, of a day to a month",
        said,
    )
    assert numbers, "the README no longer says how many there are: mend this test with it"
    real = (len(malicious), sum(row["span_s"] >= DAY_S for row in malicious), len(by_themselves))
    assert [real[place] // 10 * 10 - 10 <= int(told) < real[place] for place, told in enumerate(numbers.groups())] == [
        True,
        True,
        True,
    ]
    assert all(row["twins"] for row in malicious)
    spans = [row["span_s"] for row in by_themselves]
    assert min(spans) == DAY_S
    assert max(spans) >= 28 * DAY_S
    (apps,) = re.findall(r"with up to (\d+) apps of a library of a hundred", said)
    assert max(row["background_apps"] for row in rows) == int(apps)
    assert len(list((ROOT / "scenarios/apps").glob("*.toml"))) >= 100
