import errno
import gc
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from lab.errors import StageError
from lab.replaying.schedule import Bucket
from lab.replaying.sender import NOT_YET, Batch, busiest_second, send, undisturbed


class Outlet:
    """Takes frames; refuses as it is told to."""

    def __init__(self, *faults):
        self.got, self.faults = [], list(faults)

    def send(self, frame):
        if self.faults:
            fault = self.faults.pop(0)
            if fault:
                raise OSError(fault, os.strerror(fault))
        self.got.append(bytes(frame))
        return len(frame)


def batch_of(count, gap_us=0, legs=None):
    buffer = np.arange(count * 4, dtype=np.uint8)
    begin = np.arange(count) * 4
    leg = np.array(legs or [0] * count, np.uint8)
    return Batch(buffer, begin, np.full(count, 3), np.arange(count) * gap_us * 1_000, leg)


def sent(batch, *outlets):
    left = np.full(len(batch.due), NOT_YET, np.int64)
    told = []
    faults = send(outlets, batch, left, time.monotonic_ns(), lambda done, total: told.append((done, total)))
    assert told[-1] == (len(left), len(left))
    return left, faults


def test_every_frame_leaves_once_in_order_and_never_early():
    outlet = Outlet()
    batch = batch_of(50, gap_us=100)
    left, faults = sent(batch, outlet)
    assert outlet.got == [bytes([4 * n, 4 * n + 1, 4 * n + 2]) for n in range(50)]
    assert (left >= batch.due).all()
    assert faults == {}


def test_every_frame_leaves_by_its_own_leg():
    first, second = Outlet(), Outlet()
    sent(batch_of(4, legs=[0, 1, 1, 0]), first, second)
    assert [frame[0] for frame in first.got] == [0, 12]
    assert [frame[0] for frame in second.got] == [4, 8]


def test_frames_that_are_late_leave_at_the_cap_and_no_faster():
    batch = replace(batch_of(40), limit=Bucket(200.0))
    left, _ = sent(batch, outlet := Outlet())
    assert len(outlet.got) == 40
    assert left[-1] >= 19 * 5_000_000 - 1  # 21 at once, the others one every 5 ms
    assert sent(batch_of(40), Outlet())[0][-1] < left[-1]


def test_a_full_queue_is_asked_again():
    outlet = Outlet(errno.ENOBUFS, errno.ENOBUFS, None)
    left, faults = sent(batch_of(2), outlet)
    assert len(outlet.got) == 2
    assert faults == {}
    assert (left != NOT_YET).all()


def test_a_frame_that_never_leaves_has_failed_and_the_others_go_on():
    left, faults = sent(batch_of(3), outlet := Outlet(None, errno.EMSGSIZE, None))
    assert (left == NOT_YET).tolist() == [False, True, False]
    assert faults == {os.strerror(errno.EMSGSIZE): 1}
    assert len(outlet.got) == 2


def test_an_interface_that_goes_away_ends_the_replay():
    with pytest.raises(StageError, match="droidrange lab wire status"):
        sent(batch_of(3), Outlet(None, errno.ENETDOWN))


def test_nothing_is_collected_meanwhile_and_all_is_as_before_afterwards():
    before = (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))
    for busiest in (1, 1_000_000):
        with undisturbed(busiest) as name:
            assert not gc.isenabled()
            assert name in {"normal", "real-time", "nice -20"}
        assert gc.isenabled()
        assert (os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)) == before


def test_the_busiest_second_is_found():
    assert busiest_second(np.array([0, 10**8, 2 * 10**9, 2 * 10**9 + 1, 2 * 10**9 + 2])) == 3
    assert busiest_second(np.zeros(0, np.int64)) == 0
