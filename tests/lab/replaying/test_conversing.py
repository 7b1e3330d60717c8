import socket
import time

import pytest

from lab.errors import ScenarioError, StageError
from lab.replaying import conversing
from lab.replaying.interfaces import Interface
from lab.replaying.planned import Wishes, plan
from lab.replaying.reporting import Report
from lab.replaying.sockets_of import talk_of

HARDWARE = Interface("eth0", "", "", "", 1500, True, "", "", False, True, 0)


class Lossy:
    """An end whose n-th frame is lost."""

    def __init__(self, one, lost):
        self.one, self.lost, self.count = one, lost, 0
        self.fileno, self.recv = one.fileno, one.recv

    def send(self, frame):
        self.count += 1
        return len(frame) if self.count == self.lost else self.one.send(frame)


@pytest.fixture
def ends():
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for one in pair:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    yield pair
    for one in pair:
        one.close()


@pytest.fixture
def planned(recorded):
    return plan(recorded, Wishes(speed=1_000.0), lambda _done, _total: None)


def played(planned, ends):
    talk = conversing._Round(planned, ends, planned.due, time.monotonic_ns())
    told = []
    talk.play(told.append)
    report = Report(planned=len(planned.due), arrived=0)
    due, left = talk.told(report)
    assert len(due) == len(left) == report.sent
    return talk, report


def test_both_ends_say_everything_each_in_its_turn(planned, ends):
    talk, report = played(planned, ends)
    assert report.sent == report.planned
    assert report.withheld == 0
    assert report.arrived == sum(flow >= 0 for flow in talk.turns.flow)
    for flow in set(talk.turns.flow) - {-1}:
        rows = [row for row, mine in enumerate(talk.turns.flow) if mine == flow]
        left = [talk.left[row] for row in rows]
        assert left == sorted(left)


def test_what_is_lost_between_both_ends_stops_its_conversation(planned, ends, monkeypatch):
    monkeypatch.setattr(conversing, "PATIENCE_NS", 50_000_000)
    report = played(planned, [Lossy(ends[0], lost=1), ends[1]])[1]
    assert report.withheld > 0
    assert report.sent + report.withheld == report.planned
    assert report.failed == {"what they answer never arrived": report.withheld}


def test_strangers_on_the_wire_change_nothing(planned, ends):
    ends[0].send(b"\xff" * 60)
    ends[1].send(next(planned.prepared.frames())[:30])
    assert played(planned, ends)[1].withheld == 0


def test_frames_with_sockets_are_those_that_wait(planned, ends):
    talk, _ = played(planned, ends)
    frames = list(planned.prepared.frames())
    assert [flow >= 0 for flow in talk.turns.flow] == [talk_of(frame) is not None for frame in frames]


def test_without_another_end_it_says_what_is_missing(planned, monkeypatch):
    monkeypatch.setattr(conversing, "permitted", lambda *_: [HARDWARE])
    monkeypatch.setattr(conversing, "far_end", lambda _near: None)
    with pytest.raises(ScenarioError, match="--peer IFACE"):
        conversing.converse(planned, ["eth0"], ["eth0"], lambda _done, _total: None)


def test_an_interface_that_goes_away_meanwhile_is_a_failure_of_the_lab(planned, monkeypatch):
    class Gone(Lossy):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def send(self, _frame):
            raise OSError(100, "Network is down")

    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    outs = iter([Gone(one, 0) for one in pair])
    monkeypatch.setattr(conversing, "permitted", lambda specs, *_: [HARDWARE for _ in specs])
    monkeypatch.setattr(conversing, "opened", lambda _one, **_more: next(outs))
    with pair[0], pair[1], pytest.raises(StageError, match="Network is down"):
        conversing.converse(planned, ["a", "b"], (), lambda _done, _total: None)


def test_the_cap_holds_when_both_ends_react(planned, ends):
    count = len(planned.due)
    talk = conversing._Round(planned, ends, planned.due, time.monotonic_ns(), conversing.Bucket(count * 4.0))
    began = time.monotonic()
    talk.play(lambda _done: None)
    assert time.monotonic() - began >= (count - count * 0.4 - 2) / (count * 4.0)
