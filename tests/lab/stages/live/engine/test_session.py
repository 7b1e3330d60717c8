import json
import os
import stat
import subprocess

import pytest

from lab.errors import PrerequisiteError
from lab.stages.live.engine.session import (
    Owner,
    boot_id,
    open_session,
    read_session,
    session_folders,
    sessions,
    start_of,
    unsettled,
)


def test_a_session_has_a_folder_of_its_own_that_only_its_user_may_read(state):
    session = open_session()
    assert session.folder.parent == state.labs
    assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(state.labs.stat().st_mode) == 0o700
    assert sessions() == [session]


def test_another_process_reads_the_very_session(state):
    session = open_session(kept=True, hours=2)
    assert read_session(session.folder) == session
    assert session.kept


@pytest.mark.parametrize(
    "card", ["", "{", "[]", "null", '{"owner": 1, "expires": 1, "kept": true}', '{"expires": "x"}']
)
def test_a_damaged_card_is_no_session(state, card):
    session = open_session()
    (session.folder / "session.json").write_text(card)
    assert read_session(session.folder) is None
    assert sessions() == []
    assert session_folders() == [session.folder]


def test_labels_say_whose_and_until_when(state):
    session = open_session()
    labels = session.labels("handset", device="phone-01")
    assert labels == {
        "droidrange.lab": session.id,
        "droidrange.role": "handset",
        "droidrange.pid": str(os.getpid()),
        "droidrange.started": str(start_of(os.getpid())),
        "droidrange.boot": boot_id(),
        "droidrange.expires": str(session.expires),
        "droidrange.kept": "no",
        "droidrange.device": "phone-01",
    }


def test_an_owner_is_alive_until_it_ends_and_its_number_does_not_make_another_process_it():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        owner = Owner(child.pid, start_of(child.pid), boot_id())
        assert owner.alive()
        assert not Owner(child.pid, owner.started + 1, owner.boot).alive()
        assert not Owner(child.pid, owner.started, "another boot").alive()
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, not yet reaped
        assert not owner.alive()
    assert not owner.alive()


def test_the_journal_tells_what_was_never_answered(state):
    session = open_session()
    session.intend("network", "a")
    session.settle("network", "a")
    session.intend("container", "b")
    session.intend("container", "c")
    session.settle("container", "c")
    assert unsettled(session.folder) == {"b": "container"}


def test_a_journal_cut_anywhere_is_read_and_never_tells_less_than_its_whole_lines(state):
    session = open_session()
    for name in ("a", "b"):
        session.intend("container", name)
        session.settle("container", name)
    journal = session.folder / "journal.jsonl"
    whole = journal.read_bytes()
    for cut in range(len(whole) + 1):
        journal.write_bytes(whole[:cut])
        kept = [json.loads(line) for line in whole[:cut].splitlines() if line.endswith(b"}")]
        told = {line["name"] for line in kept if "intent" in line} - {x["name"] for x in kept if "settled" in x}
        assert set(unsettled(session.folder)) == told


def test_damage_in_a_journal_is_passed_over(state):
    session = open_session()
    (session.folder / "journal.jsonl").write_bytes(b'\xff\xfe\n[]\n7\n{"intent": "x"}\n{"intent": "x", "name": "y"}\n')
    assert unsettled(session.folder) == {"y": "x"}


def test_a_session_that_died_in_the_making_vanishes(state):
    state.labs.mkdir(parents=True)
    (state.labs / ".0badcafe.1.making").mkdir()
    assert session_folders() == []
    assert list(state.labs.iterdir()) == []


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(PrerequisiteError, match="XDG_STATE_HOME"):
        open_session()
