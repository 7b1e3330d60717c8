"""The door of the command: an interrupt while the command line loads is answered, and afterwards it is the command's."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab import console
from lab.entry import INTERRUPTED, STOPPED

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests are a background job it is ignored
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {at!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["droidrange", "--version"]
from {module} import main
main()
"""


def stopped(at, module="lab.entry"):
    """What a command says and how it ends that hears Ctrl-C when it begins to load a module."""
    script = RUN.format(at=at, module=module)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("at", ["lab.cli", "typer", "lab.cli_catalogue", "lab.options"])
def test_ctrl_c_while_the_command_line_loads_is_one_line(at):
    done = stopped(at)
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "", f"{STOPPED}\n")


def test_without_the_door_it_were_a_traceback():
    assert "Traceback" in stopped("typer", "lab.cli").stderr


def test_whoever_is_not_stopped_gets_his_command():
    done = stopped("nothing of ours")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_the_command_comes_in_by_the_door():
    assert tomllib.loads(PYPROJECT.read_text())["project"]["scripts"] == {"droidrange": "lab.entry:main"}
    assert console.INTERRUPTED == INTERRUPTED
