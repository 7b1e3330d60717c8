"""A keep plays once, keeps recordings beyond a session and scorecards no longer, and lets only one at it."""

import fcntl
from types import SimpleNamespace

import pytest

import lab.asserting.keep as module
from lab.asserting.keep import Keep
from lab.running.trial import Plan

ONE = SimpleNamespace(name="specimen", sha256="0" * 64)


def plan(**changes):
    return Plan("specimen", **{"scenarios": (ONE,), "seeds": (1,), "stage": "flows", **changes})


@pytest.fixture
def played(monkeypatch):
    """What was played, and whether the folder was locked meanwhile."""
    found = []

    def run_suite(asked, folder, progress):
        with folder.with_name(f"{folder.name}.lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found.append((asked.detectors, folder))

    monkeypatch.setattr(module, "run_suite", run_suite)
    monkeypatch.setattr(module, "recorded", lambda _plan, scenario, seed, folder: (scenario.name, seed, folder))
    monkeypatch.setattr(module, "scorecard_of", lambda _folder, _phase: SimpleNamespace(to_json=lambda: {"a": [1]}))
    return found


def test_a_scorecard_is_made_once_a_session_in_one_folder(tmp_path, played):
    first, second = (Keep(tmp_path / "cache", tmp_path / name) for name in ("s1", "s2"))
    assert [first.scorecard(plan()) for _ in range(2)] == [{"a": [1]}] * 2
    assert len(played) == 1
    second.scorecard(plan())
    first.scorecard(plan(detectors=("silent",)))
    assert [detectors for detectors, _ in played] == [("builtin",), ("builtin",), ("silent",)]
    assert len({folder for _, folder in played}) == 1
    assert (tmp_path / "cache/.gitignore").read_text() == "*\n"


def test_another_way_of_playing_has_another_folder(tmp_path, played):
    keep = Keep(tmp_path, tmp_path / "s")
    other = SimpleNamespace(name="specimen", sha256="1" * 64)
    for one in (plan(), plan(stage="wire"), plan(devices=3), plan(scenarios=(other,))):
        keep.scorecard(one)
    assert len({folder for _, folder in played}) == 4


def test_a_recording_lies_where_the_suite_finds_it(tmp_path, played):
    keep = Keep(tmp_path, tmp_path / "s")
    keep.scorecard(plan(seeds=(1, 2)))
    assert keep.recording(plan(seeds=(2,))) == ("specimen", 2, played[0][1])


def test_a_play_that_fails_leaves_no_scorecard_and_no_lock(tmp_path, played, monkeypatch):
    keep = Keep(tmp_path, tmp_path / "s")

    def fails(*_words, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "run_suite", fails)
        with pytest.raises(OSError, match="No space"):
            keep.scorecard(plan())
    assert keep.scorecard(plan()) == {"a": [1]}
