"""What a view does not show is found, or its trials have failed: a fault of ours is never a detector's miss."""

import contextlib
from types import SimpleNamespace

import pytest

from detector.contract import Telemetry, Unsupported
from lab.running import trial
from lab.running.look import Found
from lab.running.trial import Plan, run_case

HIDDEN = ("phone-01/com.example.torch/http-poll",)


@pytest.fixture
def case(monkeypatch, tmp_path):
    """Two trials of one recording, under the views full and no-app; ``unseen`` and ``view`` may be replaced."""
    state = SimpleNamespace(unseen=lambda _truth, _telemetry: HIDDEN, view=lambda _name, telemetry: telemetry)
    recording = SimpleNamespace(folder=tmp_path, truth=lambda: "truth")
    monkeypatch.setattr(trial, "recorded", lambda *_words: recording)
    monkeypatch.setattr(trial, "recording_hash", lambda _folder: "0" * 64)
    monkeypatch.setattr(trial, "_telemetry", lambda _recording: Telemetry({}, (0, 1)))
    monkeypatch.setattr(trial, "neutral", contextlib.nullcontext)
    monkeypatch.setattr(trial, "CONTROLS", ())
    monkeypatch.setattr(trial, "view_named", lambda name: lambda telemetry: state.view(name, telemetry))
    monkeypatch.setattr(trial, "unseen", lambda *words: state.unseen(*words))  # noqa: PLW0108 - it is replaced later

    def look(_detector, view, telemetry, _baseline):
        state.view(view, telemetry)
        return Found("7", (), b"")

    monkeypatch.setattr(trial, "look", look)
    scenario = SimpleNamespace(name="polling-plain", sha256="0" * 64, varied_from="")
    plan = Plan("core", (scenario,), (1,), views=("full", "no-app"))
    state.run = lambda: run_case(plan, scenario, 1, tmp_path)
    return state


def test_what_a_view_hides_is_in_its_rows(case):
    assert [(row["status"], row["unseen"]) for row in case.run()] == [("scored", list(HIDDEN))] * 2


@pytest.mark.parametrize("fault", [KeyError("server"), Unsupported("no such table")])
def test_a_fault_in_what_is_unseen_fails_the_trials_and_is_no_miss(case, fault):
    def broken(_truth, _telemetry):
        raise fault

    case.unseen = broken
    rows = case.run()
    assert [(row["status"], row["unseen"]) for row in rows] == [("failed", [])] * 2
    assert all(row["reason"].startswith("what the view shows: ") for row in rows)
    assert all(str(fault) in row["reason"] for row in rows)


def test_a_view_that_fails_says_so_itself_and_leaves_the_other_alone(case):
    def view(name, telemetry):
        if name == "no-app":
            raise Unsupported("no apps to hide")
        return telemetry

    case.view = view
    full, without = case.run()
    assert (full["status"], full["unseen"]) == ("scored", list(HIDDEN))
    assert (without["status"], without["reason"], without["unseen"]) == ("unsupported", "no apps to hide", [])
