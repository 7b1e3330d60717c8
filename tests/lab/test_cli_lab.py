"""The command line of the live lab: results on stdout, JSON alone, errors with the next command."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.cli_lab import MOST
from lab.errors import PrerequisiteError, StageError
from lab.stages.live import lifecycle, status
from lab.stages.live.wiring import MOST_HANDSETS

ROW = {
    "lab": "aaaaaaaa",
    "kept": True,
    "own": True,
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
    monkeypatch.setattr(status, "own_labs", lambda _engine: ["aaaaaaaa"])
    done = call("up", "--devices", "1", "--hours", "2")
    assert done.exit_code == 0
    assert "adb connect 10.77.3.10:5555" in done.stdout
    assert (asked["devices"], asked["hours"], asked["kept"]) == (1, 2.0, True)
    assert json.loads(call("up", "--json").stdout) == ROW


def test_a_second_lab_is_told_that_one_must_be_chosen_from_now_on(call, monkeypatch) -> None:
    made = SimpleNamespace(engine=None, session=SimpleNamespace(id="aaaaaaaa"))
    monkeypatch.setattr(lifecycle, "up", lambda *_, **__: made)
    monkeypatch.setattr(status, "status_of", lambda _engine, _name: ROW)
    monkeypatch.setattr(status, "own_labs", lambda _engine: ["aaaaaaaa", "bbbbbbbb"])
    assert "also up: bbbbbbbb; record and run then need --lab" in call("up").stderr


def test_more_handsets_than_a_network_has_are_a_usage_error(call) -> None:
    assert MOST == MOST_HANDSETS
    refused = call("up", "--devices", str(MOST + 1))
    assert refused.exit_code == 2
    assert "found 201, expected at most 200: a lab's handsets share one /24 network" in " ".join(refused.stderr.split())


def test_status_is_rows(call, monkeypatch) -> None:
    monkeypatch.setattr(status, "statuses", lambda: [ROW])
    assert json.loads(call("status", "--json").stdout) == {"labs": [ROW]}
    assert "lab aaaaaaaa" in call("status").stdout


def test_down_tells_what_went_and_what_was_saved(call, monkeypatch, tmp_path) -> None:
    asked = []

    def taken_down(names, *, force):
        asked.append((names, force))
        return ["aaaaaaaa"], [tmp_path]

    monkeypatch.setattr(status, "taken_down", taken_down)
    assert call("down", "--force", "aaaaaaaa").stdout == "removed 1 lab: aaaaaaaa\n"
    assert json.loads(call("down", "--json").stdout) == {"removed": ["aaaaaaaa"], "rescued": [str(tmp_path)]}
    assert [force for _, force in asked] == [True, False]


def test_clean_tells_of_labs_captures_and_images(call, monkeypatch, tmp_path) -> None:
    def cleaned(*, images):
        return [], [tmp_path], ["droidrange/base:0"] if images else []

    monkeypatch.setattr(status, "cleaned", cleaned)
    assert call("clean").stdout == "removed 0 labs\n"
    assert call("clean", "--images").stdout == "removed 0 labs\nremoved 1 old image: droidrange/base:0\n"
    told = json.loads(call("clean", "--images", "--json").stdout)
    assert told == {"removed": [], "rescued": [str(tmp_path)], "images": ["droidrange/base:0"]}


def test_a_busy_lab_is_the_lab_s_failure_not_a_broken_gate(call, monkeypatch) -> None:
    def taken_down(_names, *, force):
        raise StageError(f"lab aaaaaaaa is playing already; droidrange lab down --force ({force})")

    monkeypatch.setattr(status, "taken_down", taken_down)
    done = call("down")
    assert done.exit_code == 3
    assert "--force" in done.stderr


def test_without_an_engine_it_is_the_machine_s_lack(call, monkeypatch) -> None:
    def statuses():
        raise PrerequisiteError("no Docker engine; apt-get install docker.io")

    monkeypatch.setattr(status, "statuses", statuses)
    done = call("status")
    assert done.exit_code == 3
    assert "apt-get install docker.io" in done.stderr
