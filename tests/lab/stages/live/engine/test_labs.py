import dataclasses
import os

import pytest

from lab.errors import StageError
from lab.stages.live.engine import find_labs, open_session
from lab.stages.live.engine.labs import Lab
from lab.stages.live.engine.session import Owner, boot_id, start_of

ME = Owner(os.getpid(), start_of(os.getpid()), boot_id())
DEAD = Owner(os.getpid(), 1, boot_id())
LAB = Lab("0badcafe", None, ME, expires=1000, kept=False, half=False, containers=("c",), networks=())


@pytest.mark.parametrize(
    ("changes", "now", "wanted"),
    [
        ({}, 0, True),
        ({}, 2000, True),  # its owner still plays
        ({"owner": DEAD}, 0, False),
        ({"owner": None}, 0, False),
        ({"kept": True, "owner": DEAD}, 0, True),
        ({"kept": True, "owner": DEAD}, 999, True),
        ({"kept": True, "owner": DEAD, "containers": ()}, 0, False),  # killed before anything, or pruned by somebody
        ({"kept": True, "owner": ME, "containers": ()}, 0, True),
        ({"kept": True, "owner": DEAD, "half": True}, 0, False),
        ({"kept": True, "owner": ME, "half": True}, 0, True),
        ({"kept": True, "owner": DEAD}, 1000, False),
        ({"kept": True, "owner": ME}, 1000, False),
        ({"kept": True, "owner": Owner(1, 1, "an earlier boot")}, 0, False),
    ],
)
def test_who_is_left_alone(changes, now, wanted):
    assert dataclasses.replace(LAB, **changes).wanted(now) is wanted


def test_labs_on_disk_are_found_without_an_engine(state):
    sessions = sorted([open_session(), open_session(kept=True)], key=lambda session: session.id)
    assert [(lab.id, lab.kept, lab.containers) for lab in find_labs(None)] == [(s.id, s.kept, ()) for s in sessions]


def test_a_lab_that_came_up_is_whole_and_one_that_did_not_is_half(state):
    whole, half = open_session(kept=True), open_session(kept=True)
    with whole.coming_up():
        assert {lab.id: lab.half for lab in find_labs(None)} == {whole.id: True, half.id: False}
    with pytest.raises(KeyboardInterrupt), half.coming_up():
        raise KeyboardInterrupt
    assert {lab.id: lab.half for lab in find_labs(None)} == {whole.id: False, half.id: True}


def test_decoys_are_no_labs(docker, engine):
    assert find_labs(engine) == []


@pytest.mark.parametrize("labels", [{}, {"droidrange.pid": "x"}, {"droidrange.pid": "1", "droidrange.started": "2"}])
def test_a_container_whose_labels_tell_no_owner_is_of_a_lab_nobody_wants(docker, engine, labels):
    docker.create("containers", "odd", {"droidrange.lab": "0badcafe", **labels}, {})
    (lab,) = find_labs(engine)
    assert lab.owner is None
    assert not lab.wanted(0)


def test_an_engine_that_does_not_answer_is_our_fault_to_tell(docker, engine):
    docker.fail("drop", 0)
    with pytest.raises(StageError, match="does not list"):
        find_labs(engine)
