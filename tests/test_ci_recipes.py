"""The shell recipe of docs/ci.md is run as it stands, and the gate's three exit codes are those that it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/ci.md").read_text()
(RECIPE,) = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def environment(**more):
    """The command ``droidrange`` of this environment stands first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, **more}


def run(words, folder, **more):
    return subprocess.run(words, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)


def test_the_shell_recipe_holds_breaks_and_has_no_evidence(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ci.sh").write_text(RECIPE)
    (folder / "gate.toml").write_text('thresholds = ["polling.recall >= 0.9"]\n')
    asked = {"SUITE": "smoke-poll", "STAGE": "flows"}
    held = run(["sh", "ci.sh"], folder, **asked)
    assert held.returncode == 0, held.stderr
    assert "gate: held" in held.stdout
    root = parse(folder / "out/ci/export/junit.xml").getroot()
    assert root.get("failures") == "0"
    assert (folder / "out/ci/export/droidrange.sarif").stat().st_size > 1000
    assert "smoke-poll" in (folder / "out/ci/export/summary.md").read_text()
    (folder / "gate.toml").write_text('thresholds = ["time_to_detect_p90 <= 1s"]\n')
    broken = run(["sh", "ci.sh"], folder, **asked)
    assert broken.returncode == 1, broken.stderr
    assert "BROKEN" in broken.stdout
    (folder / "gate.toml").write_text('thresholds = ["polling.recall{period>1d} >= 0.9"]\n')
    assert run(["sh", "ci.sh"], folder, **asked).returncode == 3
    assert run(["sh", "ci.sh"], folder, SUITE="smoke-pol", STAGE="flows").returncode == 2


def test_the_other_recipes_speak_of_commands_and_formats_that_exist():
    from lab.exporting import FORMATS

    said = set(re.findall(r"--format (\w+)", TEXT))
    assert said == {"junit", "sarif", "summary", "github"}
    assert said <= set(FORMATS)
    assert set(re.findall(r"droidrange (run|gate|export|\w+) ", RECIPE)) == {"run", "gate", "export"}


GITHUB, GITLAB = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
#: Inputs of the actions that the recipe uses, and those of them that must be given (their action.yml, from memory).
INPUTS = {
    "actions/checkout": (set(), set()),
    "actions/setup-python": ({"python-version"}, set()),
    "actions/cache": ({"path", "key", "restore-keys"}, {"path", "key"}),
    "github/codeql-action/upload-sarif": ({"sarif_file", "category"}, set()),
    "actions/upload-artifact": ({"name", "path"}, {"path"}),
}


def test_the_github_recipe_is_a_workflow():
    """Triggers, jobs and steps as the workflow syntax has them: YAML 1.1 reads ``on`` as true, GitHub does not."""
    assert set(GITHUB) == {"name", True, "permissions", "jobs"}
    assert set(GITHUB["permissions"].values()) <= {"read", "write", "none"}
    (job,) = GITHUB["jobs"].values()
    assert set(job) == {"runs-on", "timeout-minutes", "steps"}
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step), step
        assert set(step) <= {"name", "if", "uses", "with", "run"}, step
        if "uses" in step:
            action, _, version = step["uses"].partition("@")
            known, needed = INPUTS[action]
            assert re.fullmatch(r"v\d+", version)
            assert needed <= set(step.get("with", {})) <= known, step


def test_the_gitlab_recipe_is_a_job():
    (job,) = GITLAB.values()
    assert set(job) == {"image", "script", "after_script", "cache", "artifacts"}
    assert all(isinstance(line, str) for line in (*job["script"], *job["after_script"]))
    assert set(job["cache"]) == {"key", "when", "paths"}
    assert job["cache"]["when"] == job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"] in job["after_script"][-1]


def test_neither_recipe_reads_the_gate_s_exit_code_away():
    steps = [step["run"] for step in GITHUB["jobs"]["range"]["steps"] if "run" in step]
    for lines in (steps, GITLAB["detections"]["script"]):
        gates = [line for line in lines if "droidrange gate" in line]
        assert gates == ["droidrange gate out/ci"]  # alone: no pipe, no "|| true" behind it


def test_the_options_that_the_text_names_are_those_of_the_plugin():
    source = (ROOT / "lab/pytest_plugin.py").read_text()
    known = set(re.findall(r'"--droidrange-(\w+)"', source))
    table = TEXT[TEXT.index("| option |") : TEXT.index("| what became of it |")]
    assert set(re.findall(r"`(?:--droidrange)?-(\w+)[ `\[]", table)) == known


@pytest.mark.whole
def test_suite_core_on_the_wire_gates_with_0_1_and_3(tmp_path):
    """``droidrange run core -o r1 && droidrange gate r1``: 0; with a raised threshold 1; a truncated recording 3."""
    played = run(["droidrange", "run", "core", "-o", "r1"], tmp_path)
    assert played.returncode == 0, played.stderr
    held = run(["droidrange", "gate", "r1"], tmp_path)
    assert held.returncode == 0, held.stdout
    raised = run(["droidrange", "gate", "r1", "-t", "time_to_detect_p90 <= 1s"], tmp_path)
    assert raised.returncode == 1, raised.stdout
    assert "droidrange run " in raised.stdout  # what is too slow, by name, with its command
    capture = next(tmp_path.glob("r1/recordings/https-poll-5m-s1/telemetry/capture.pcap"))
    with capture.open("r+b") as file:
        file.truncate(capture.stat().st_size // 2)
    cut = run(["droidrange", "gate", "r1"], tmp_path)
    assert cut.returncode == 3, cut.stdout
    assert "capture.pcap" in cut.stderr
