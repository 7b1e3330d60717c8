"""The tutorials are true: their files are saved, their commands run one block after the other, their answers appear."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("python", "suricata", "siem", "sql", "pcapdroid")
FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```(?:\n+```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"# exit (\d+)$")
#: Frames and folds of tables, which depend on the terminal.
DRAWN = re.compile(r"[\s─,]+")


def text(name):
    return (ROOT / "docs" / f"tutorial-{name}.md").read_text()


def plain(said):
    return DRAWN.sub(" ", said).strip()


def faults(script, answer, folder):
    """What a block does other than it says: its exit code, and every line of the answer beside it."""
    wanted = int(match[1]) if (match := EXIT.search(script.strip())) else 0
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said = plain(done.stdout + done.stderr)
    found = [] if done.returncode == wanted else [f"exit {done.returncode}, expected {wanted}: {said[-800:]}"]
    return found + [f"not said: {line}" for line in answer.splitlines() if plain(line) not in said]


@pytest.mark.whole
@pytest.mark.tools
@pytest.mark.parametrize("name", NAMES)
def test_every_command_does_what_the_tutorial_says(name, tmp_path):
    if "suricata" in text(name) and shutil.which("suricata") is None:
        pytest.skip("suricata is not installed")
    for path, content in FILE.findall(text(name)):
        (tmp_path / path).write_text(content)
    blocks = BLOCK.findall(text(name))
    assert len(blocks) >= 5
    assert {script: found for script, answer in blocks if (found := faults(script, answer, tmp_path))} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_ends_in_a_gate(name):
    *_, (script, answer) = BLOCK.findall(text(name))
    assert "droidrange gate" in script
    assert answer
    assert FILE.findall(text(name))


def test_a_command_that_does_something_else_is_noticed(tmp_path):
    assert faults("echo a b\n", "a   b\n", tmp_path) == []
    assert faults("exit 3   # exit 3\n", "", tmp_path) == []
    assert faults("echo a\n", "b\n", tmp_path) == ["not said: b"]
    assert faults("false\necho a\n", "", tmp_path) == ["exit 1, expected 0: "]
    assert faults("true   # exit 1\n", "", tmp_path) == ["exit 0, expected 1: "]
