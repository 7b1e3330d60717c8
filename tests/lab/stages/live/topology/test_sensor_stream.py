"""A sensor's lines through an engine that hangs up, repeats, cuts and dies."""

from __future__ import annotations

import json
import threading

import pytest
from docker.errors import APIError
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import StageError
from lab.stages.live.topology import sensor_stream
from lab.stages.live.topology.sensor_stream import SensorStream, lines


def line(number, event="connect", **more):
    return json.dumps({"n": number, "time_us": number * 1_000_000, "event": event, **more}).encode() + b"\n"


WHOLE = [line(1, "ready"), *(line(number) for number in range(2, 9)), line(9, "end", counts={})]


class Stream:
    """One connection's chunks; what is an exception is raised. After the last it waits for ``close``."""

    def __init__(self, chunks, *, stays):
        self.chunks = list(chunks)
        self.stays = stays
        self.closed = threading.Event()

    def __iter__(self):
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
        if self.stays:
            assert self.closed.wait(5)

    def close(self):
        self.closed.set()


class Container:
    """A sensor's container: what each connection gives, and what became of it."""

    name = "droidrange-x-sensor-phone"

    def __init__(self, *connections, status="running", stays=False, complaint=b""):
        self.connections = [Stream(chunks, stays=stays and chunks is connections[-1]) for chunks in connections]
        self.status = status
        self.complaint = complaint
        self.since = []
        self.stopped = False

    def logs(self, *, stream=False, since=None, **_kwargs):
        if not stream:
            return self.complaint
        self.since.append(since)
        if not self.connections:
            self.status = "exited"
            return Stream([], stays=False)
        return self.connections.pop(0)

    def reload(self):
        pass

    def stop(self, **_kwargs):
        self.stopped = True


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(sensor_stream, "_RETRY_S", 0.001)


def followed(*connections, **more):
    container, events = Container(*connections, **more), []
    stream = SensorStream(container, events.append)
    stream.start(timeout_s=5)
    return stream.finish(), [event["n"] for event in events], container


def test_every_line_once_and_in_order():
    assert followed(WHOLE)[:2] == ([], list(range(1, 10)))


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_connection_lost_anywhere_and_taken_up_again_with_repetitions(cut):
    faults, numbers, container = followed([*WHOLE[:cut], WHOLE[cut][:9]], WHOLE[max(0, cut - 3) :])
    assert (faults, numbers) == ([], list(range(1, 10)))
    assert container.since == [1, max(1, cut - 1)]


def test_an_engine_that_refuses_is_asked_again():
    faults, numbers, _ = followed(WHOLE[:3], [APIError("restarting")], [OSError("reset")], WHOLE)
    assert (faults, numbers) == ([], list(range(1, 10)))


def test_an_engine_that_never_answers_again_is_a_fault(monkeypatch):
    monkeypatch.setattr(sensor_stream, "_TRIES", 3)
    faults, numbers, _ = followed(WHOLE[:3], *[[APIError("gone")] for _ in range(4)])
    assert numbers == [1, 2, 3]
    assert ["cannot be followed: " in fault for fault in faults] == [True]


def test_missing_lines_are_a_fault():
    faults, numbers, _ = followed([*WHOLE[:3], *WHOLE[5:]])
    assert faults == ["droidrange-x-sensor-phone: lines 4 to 5 are missing"]
    assert numbers == [1, 2, 3, 6, 7, 8, 9]


@pytest.mark.parametrize(("count", "words"), [(7, "left out 7 packets"), (None, "left out some packets")])
def test_what_the_kernel_left_out_is_a_fault(count, words):
    lost = line(2, "lost", what="packets", count=count)
    faults, _, _ = followed([WHOLE[0], lost, line(3, "end", counts={})])
    assert [words in fault for fault in faults] == [True]


@pytest.mark.parametrize("odd", [b"Traceback\n", b"[]\n", b'{"n": 2}\n', b'{"n": "x", "time_us": 1, "event": "y"}\n'])
def test_a_line_that_is_none_is_a_fault(odd):
    faults, _, _ = followed([WHOLE[0], odd, line(2, "end", counts={})])
    assert ["said b" in fault for fault in faults] == [True]


def test_death_before_the_last_line_is_a_fault_with_its_last_words():
    faults, numbers, _ = followed(WHOLE[:4], status="exited", complaint=b"Killed")
    assert numbers == [1, 2, 3, 4]
    assert faults == ["droidrange-x-sensor-phone: died: Killed"]


def test_what_a_dead_sensor_left_behind_is_still_read():
    assert followed(WHOLE[:4], WHOLE, status="exited")[:2] == ([], list(range(1, 10)))


def test_a_sensor_that_is_never_ready_is_a_stage_error_with_its_complaint():
    container = Container([], stays=True, complaint=b"network not set up: no interface")
    with pytest.raises(StageError, match=r"not ready after 0\.05 s: network not set up"):
        SensorStream(container, lambda _event: None).start(timeout_s=0.05)


def test_a_last_line_that_does_not_come_is_a_fault():
    container = Container(WHOLE[:4], stays=True)
    stream = SensorStream(container, lambda _event: None)
    stream.start()
    assert ["last line was not read" in fault for fault in stream.finish(timeout_s=0.05)] == [True]
    assert container.stopped


@given(st.lists(st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")), max_size=9), st.data())
def test_lines_are_whole_wherever_the_stream_is_cut(rows, data):
    whole = b"".join(row + b"\n" for row in rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert list(lines(iter(chunks))) == rows
    assert list(lines(iter([*chunks, b"unfinished"]))) == rows
