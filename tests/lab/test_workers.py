"""Workers: order, a worker's death, and that an interrupt leaves no process and no half-made file."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from lab.workers import in_order


def square(number, _name):
    return number * number


def dies(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"ended {number}"


def halts(folder, number):
    """Makes a file, waits to be ended, and takes the file away on its way out."""
    made = Path(folder) / f"half-{number}"
    try:
        made.touch()
        while number:
            os.sched_yield()
    finally:
        made.unlink(missing_ok=True)
    return number


def raises(number):
    if number == 1:
        raise KeyError("no such thing")
    return number


def test_results_come_in_the_order_of_the_jobs():
    jobs = [(number, "x") for number in range(5)]
    assert list(in_order(square, jobs, lost=lambda *_: -1, workers=2)) == [0, 1, 4, 9, 16]


def test_one_worker_needs_no_process():
    assert list(in_order(lambda pid: pid == os.getpid(), [(os.getpid(),)], lost=lambda *_: False, workers=8)) == [True]


def test_a_dead_worker_is_said_not_waited_for():
    results = list(in_order(dies, [(1,), (2,)], lost=lambda job, reason: f"lost {job[0]}: {reason}", workers=2))
    assert results[0].startswith("lost 1: a worker process died")
    assert len(results) == 2


def test_an_exception_passes_through_and_ends_the_workers():
    with pytest.raises(KeyError, match="no such thing"):
        list(in_order(raises, [(1,), (2,)], lost=lambda *_: None, workers=2))
    assert multiprocessing.active_children() == []


def test_an_interrupt_leaves_nothing(tmp_path):
    results = in_order(halts, [(str(tmp_path), number) for number in (0, 1, 2)], lost=lambda *_: None, workers=2)
    assert next(results) == 0
    while not any(tmp_path.iterdir()):
        os.sched_yield()
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []
