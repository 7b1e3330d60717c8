import os
import subprocess
import sys
import time

import pytest

from lab.errors import PrerequisiteError, StageError
from lab.stages.live.engine import find_labs, open_session, sweep
from lab.stages.live.engine import sweeping as module
from lab.stages.live.engine.session import session_folders

FAULTS = ("error", "drop", "lost", "late", "hang")
CALLS = 15  # of bringing up: proved below


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def bring_up(engine, session):
    """A lab as the stage makes it: a network, then containers on it and beside another."""
    network = engine.network(session)
    for name in ("gateway", "servers", "handset-01"):
        container = engine.run(session, name, "droidrange/base:abc", name, network=network.name, address="10.77.1.9")
    engine.sidecar(session, "sensor", "droidrange/base:abc", "sensor-01", beside=container, command=["sleep", "9"])


def test_a_lab_takes_the_calls_that_are_made_to_fail(docker, engine):
    session = open_session()
    docker.calls.clear()
    bring_up(engine, session)
    assert len(docker.calls) == CALLS
    assert len(docker.containers) == 4 + 5
    assert all(c["running"] for c in docker.containers.values() if c["labels"].get("droidrange.lab") == session.id)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", range(CALLS))
def test_whatever_call_fails_on_the_way_up_a_sweep_leaves_nothing(docker, engine, clock, fault, at):
    session = open_session()
    docker.fail(fault, at)
    if fault == "hang":
        engine.client.api.timeout = 0.1
    with pytest.raises((StageError, PrerequisiteError)):
        bring_up(engine, session)
    engine.client.api.timeout = 30
    swept = sweep(engine, [session.id])
    assert swept.labs == (session.id,)
    assert docker.only_decoys(), docker.calls
    assert docker.postponed == []
    assert clock.now <= 2.1
    assert session_folders() == []
    assert sweep(engine, [session.id]).labs == ()


def test_without_patience_a_late_object_would_stay(docker, engine):
    """The negative control of the test above: it fails if the journal is not heeded."""
    session = open_session()
    docker.fail("late", 1)  # POST /networks/create
    with pytest.raises(StageError):
        bring_up(engine, session)
    assert docker.calls[-1] == "POST /networks/create"
    docker.postponed = [(len(docker.calls) + 8, words) for _, words in docker.postponed]
    sweep(engine, [session.id], patience_s=0.0)
    for _ in range(8):
        engine.subnets()
    assert not docker.only_decoys()


@pytest.mark.parametrize("fault", ["error", "drop", "lost"])
def test_whatever_call_fails_on_the_way_down_the_next_sweep_leaves_nothing(docker, engine, fault):
    session = open_session()
    bring_up(engine, session)
    docker.calls.clear()
    sweep(engine, [session.id])
    calls = len(docker.calls)
    assert calls >= 8
    for at in range(calls):
        session = open_session()
        bring_up(engine, session)
        docker.fail(fault, at)
        try:
            sweep(engine, [session.id])
        except StageError:
            assert session.folder.exists()  # what is not clean is not forgotten
            docker.at = -1
            sweep(engine, [session.id])
        assert docker.only_decoys(), (at, docker.calls)
        assert session_folders() == []


def test_a_lab_whose_engine_never_gives_up_a_container_keeps_its_folder(docker, engine, monkeypatch):
    session = open_session()
    bring_up(engine, session)
    monkeypatch.setattr(docker, "one", lambda *_: (409, {"message": "device is busy"}))
    with pytest.raises(StageError, match="device is busy"):
        sweep(engine, [session.id])
    assert session.folder.exists()


def dead_session(**changes):
    """A session whose owner ended: made by a real process."""
    words = f"from lab.stages.live.engine import open_session; print(open_session(**{changes!r}).id)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, env=os.environ)
    return next(lab for lab in find_labs(None) if lab.id == done.stdout.strip())


def test_only_labs_that_nobody_wants_are_swept(docker, engine):
    mine = open_session()
    kept, dead = dead_session(kept=True), dead_session()
    expired, empty = dead_session(kept=True, hours=-1.0), dead_session(kept=True)
    for lab in (kept, expired):
        docker.create("containers", f"one-of-{lab.id}", {"droidrange.lab": lab.id}, {})
    assert sweep(engine).labs == tuple(sorted([dead.id, expired.id, empty.id]))
    assert [path.name for path in session_folders()] == sorted([mine.id, kept.id])
    assert sweep(engine, [mine.id, kept.id]).folders == 2


def test_a_lab_is_found_by_its_labels_when_its_folder_is_gone(docker, engine):
    session = open_session()
    bring_up(engine, session)
    (session.folder / "session.json").unlink()
    (lab,) = find_labs(engine)
    assert (lab.owner, lab.expires, lab.kept) == (session.owner, session.expires, session.kept)
    assert lab.wanted(time.time())
    assert (len(lab.containers), len(lab.networks)) == (4, 1)
    assert sweep(engine).labs == ()
    assert sweep(engine, [lab.id]).containers == 4


def test_a_folder_without_a_card_and_without_containers_is_nobodys(docker, engine):
    session = open_session()
    (session.folder / "session.json").write_text('{"owner": ')
    assert sweep(engine).labs == (session.id,)
    assert not session.folder.exists()
