"""The command line of the live lab: results on stdout, JSON alone, errors with the next command."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import PrerequisiteError
from lab.stages.live import lifecycle, status

ROW = {
    "lab": "aaaaaaaa",
    "kept": True,
    "wanted": True,
    "expires": "2026-11-21T23:00:00+00:00",
    "containers": {"handset-01": "running"},
    "handsets": [{"name": "handset-01", "adb": "10.77.3.10:5555"}],
}


@pytest.fixture
def call():
    def run(*words: str):
        return CliRunner().invoke(app, ["lab", *words])

    return run


def test_up_says_how_to_reach_the_handsets(call, monkeypatch) -> None:
    asked = {}

    def up(devices, **wanted):
        asked.update(wanted, devices=devices)
        return SimpleNamespace(engine=None, session=SimpleNamespace(id="aaaaaaaa"))

    monkeypatch.setattr(lifecycle, "up", up)
    monkeypatch.setattr(status, "status_of", lambda _engine, _name: ROW)
    done = call("up", "--devices", "1", "--hours", "2")
    assert done.exit_code == 0
    assert "adb connect 10.77.3.10:5555" in done.stdout
    assert (asked["devices"], asked["hours"], asked["kept"]) == (1, 2.0, True)
    assert json.loads(call("up", "--json").stdout) == ROW


def test_status_is_rows(call, monkeypatch) -> None:
    monkeypatch.setattr(status, "statuses", lambda: [ROW])
    assert json.loads(call("status", "--json").stdout) == {"labs": [ROW]}
    assert "lab aaaaaaaa" in call("status").stdout


@pytest.mark.parametrize(("verb", "function"), [("down", "taken_down"), ("clean", "cleaned")])
def test_the_end_tells_what_went_and_what_was_saved(call, monkeypatch, tmp_path, verb, function) -> None:
    monkeypatch.setattr(status, function, lambda *_: (["aaaaaaaa"], [tmp_path]))
    done = call(verb)
    assert "removed 1 lab: aaaaaaaa" in done.stdout
    assert str(tmp_path) in done.stderr
    assert json.loads(call(verb, "--json").stdout) == {"removed": ["aaaaaaaa"], "rescued": [str(tmp_path)]}


def test_without_an_engine_it_is_the_machine_s_lack(call, monkeypatch) -> None:
    def statuses():
        raise PrerequisiteError("no Docker engine; apt-get install docker.io")

    monkeypatch.setattr(status, "statuses", statuses)
    done = call("status")
    assert done.exit_code == 3
    assert "apt-get install docker.io" in done.stderr
