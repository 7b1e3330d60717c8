"""The facade: what is planned leaves round by round, and the report says what the interface counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import replay as module
from lab.errors import StageError
from lab.replay import Wishes, plan, replay
from lab.replaying.interfaces import LABEL, Interface
from lab.stages.wire import play

WIRE = Interface("dr-wire0", "", "veth", f"{LABEL} dr-wire", 1500, True, "02:00:00:00:00:01", "", False, False, 5)


class Outlet:
    def __init__(self, fault=None):
        self.got, self.fault = [], fault

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def send(self, frame):
        if self.fault:
            raise self.fault
        self.got.append(bytes(frame))


@pytest.fixture
def recorded(tiny, tmp_path):
    return play(tiny, tmp_path / "tiny")


@pytest.fixture
def machine(monkeypatch):
    outlets = {}

    def install(*outs):
        names = [f"dr-wire{2 * number}" for number in range(len(outs))]
        outlets.update(zip(names, outs, strict=True))
        monkeypatch.setattr(module, "permitted", lambda specs, *_: [replace(WIRE, name=one) for one in specs])
        monkeypatch.setattr(module, "opened", lambda one: outlets[one.name])
        monkeypatch.setattr(module, "interface", lambda name: replace(WIRE, name=name, sent=5 + len(outlets[name].got)))
        return names

    return install


def test_every_frame_leaves_in_every_round(recorded, machine):
    outlet = Outlet()
    planned = plan(recorded, Wishes(speed=1e6, loops=3, cap=1e9), lambda _done, _total: None)
    before, told = list(planned.prepared.frames()), []
    report = replay(planned, machine(outlet), (), lambda done, total: told.append((done, total)))
    count = len(before)
    assert report.sent == report.planned == len(outlet.got) == 3 * count
    assert report.counted == {"dr-wire0": 3 * count}
    assert outlet.got[:count] == before
    assert outlet.got[count : 2 * count] != before
    assert (report.rounds, report.lateness.frames) == (3, 3 * count)
    assert told[-1] == (3 * count, 3 * count)


def test_two_legs_part_devices_from_the_rest(recorded, machine):
    inside, outside = Outlet(), Outlet()
    planned = plan(recorded, Wishes(speed=1e6, cap=1e9), lambda _done, _total: None)
    replay(planned, machine(inside, outside), (), lambda _done, _total: None)
    frames = list(planned.prepared.frames())
    assert inside.got == [frame for frame, side in zip(frames, planned.side, strict=True) if side == 0]
    assert outside.got == [frame for frame, side in zip(frames, planned.side, strict=True) if side == 1]
    assert inside.got
    assert outside.got


def test_an_interrupted_replay_says_how_far_it_came(recorded, machine, capsys):
    class Stops(Outlet):
        def send(self, frame):
            super().send(frame)
            if len(self.got) == 3:
                raise KeyboardInterrupt

    planned = plan(recorded, Wishes(speed=1e6, cap=1e9), lambda _done, _total: None)
    with pytest.raises(KeyboardInterrupt):
        replay(planned, machine(Stops()), (), lambda _done, _total: None)
    assert f"2 of {len(planned.due)} frames had left" in capsys.readouterr().err


def test_a_replay_of_which_nothing_left_is_a_failure(recorded, machine):
    planned = plan(recorded, Wishes(speed=1e6, cap=1e9), lambda _done, _total: None)
    with pytest.raises(StageError, match="no frame left"):
        replay(planned, machine(Outlet(OSError(90, "Message too long"))), (), lambda _done, _total: None)
