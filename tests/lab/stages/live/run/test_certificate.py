"""What a run proves of its capture and of the lab at its end: containment, and that nothing was lost."""

from __future__ import annotations

import threading
import time

import pytest

from lab.errors import StageError
from lab.stages.live import run as module

STOPPED = {"packets": 9, "dropped": 0, "faults": []}


def test_the_certificate_is_of_the_whole_lab_and_comes_after_the_capture(world, run, played) -> None:
    done = played(run())
    assert done.certificate == {"held": True}
    assert world.told("lab", "certify") == (1, 2, {"gateway": 3}, [("phone", 0)])


def test_a_certificate_that_could_not_be_had_is_a_fault(run, monkeypatch, played) -> None:
    def fails(*_words):
        raise StageError("no canary")

    monkeypatch.setattr(module, "certify", fails)
    done = played(run())
    assert done.faults == ["containment: no canary"]
    assert done.certificate["held"] is False


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ({"dropped": 3}, ["the capture dropped 3 packets"]),
        ({"faults": ["the capture is torn"]}, ["the capture is torn"]),
        ({}, []),
    ],
)
def test_what_the_capture_lost_is_a_fault_and_no_certificate_is_tried(world, run, told, faults, played) -> None:
    world.answers["gateway", "stop"] = {**STOPPED, **told}
    done = played(run())
    assert done.faults == faults
    assert ("lab certify" in world.verbs()) is not faults


def test_a_certificate_that_hangs_does_not_hold_up_the_end(run, monkeypatch, played) -> None:
    hanging = threading.Event()
    monkeypatch.setattr(module, "certify", lambda *_words: hanging.wait(5))
    monkeypatch.setattr(module, "CERTIFY_S", 0.05)
    begun = time.monotonic()
    done = played(run())
    assert time.monotonic() - begun < 2
    assert done.faults == ["containment: not within 0.05 s"]
    hanging.set()
