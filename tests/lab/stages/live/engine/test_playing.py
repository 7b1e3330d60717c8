"""A lab's lock: one process at a time, free when its holder is gone, and of no use once the lab is gone."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys

import pytest

from lab.stages.live.engine import find_labs, open_session, sweep
from lab.stages.live.engine import playing as module
from lab.stages.live.engine.playing import alone, playing

HOLDER = """
import sys, pathlib
from lab.stages.live.engine.playing import alone
with alone(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)


def test_only_one_has_it_and_asking_takes_nothing(tmp_path):
    assert not playing(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with alone(tmp_path):
        assert playing(tmp_path)
        with pytest.raises(BlockingIOError), alone(tmp_path):
            pass
    assert not playing(tmp_path)


def test_a_killed_holder_has_it_no_more(tmp_path):
    words = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert playing(tmp_path)
        holder.kill()
        holder.wait()
    assert not playing(tmp_path)


def test_a_lab_that_went_while_its_lock_was_opened_is_gone(tmp_path, monkeypatch):
    folder = tmp_path / "lab"
    folder.mkdir()
    taken = fcntl.flock

    def too_late(file, how):
        shutil.rmtree(folder)
        taken(file, how)

    monkeypatch.setattr(module.fcntl, "flock", too_late)
    with pytest.raises(FileNotFoundError, match="taken down"), alone(folder):
        pass
    with pytest.raises(FileNotFoundError), alone(folder):
        pass


def test_what_cannot_be_asked_counts_as_playing(tmp_path):
    (tmp_path / "busy").symlink_to("busy")
    assert playing(tmp_path)


def test_an_expired_lab_is_swept_only_when_nobody_plays_in_it(docker, engine):
    session = open_session(kept=True, hours=-1.0)
    docker.create("containers", "one", {"droidrange.lab": session.id}, {})
    with alone(session.folder):
        assert [lab.wanted(session.expires + 1) for lab in find_labs(engine)] == [True]
        assert sweep(engine).labs == ()
    assert sweep(engine).labs == (session.id,)
