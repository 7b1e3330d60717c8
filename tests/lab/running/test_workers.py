"""Workers: order, a worker's death, and that an interrupt leaves no process and no half-made file."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.running.workers import in_order, streamed


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


ORPHANS = """
import sys
from pathlib import Path
from lab.running.workers import in_order
sys.path.insert(0, sys.argv[1])
from forever import forever
if __name__ == "__main__":
    list(in_order(forever, [(sys.argv[1], 1), (sys.argv[1], 2)], lost=lambda *_: None, workers=2))
"""
FOREVER = """
import os
from pathlib import Path
def forever(folder, number):
    Path(folder, f"{os.getpid()}.pid").touch()
    while True:
        os.sched_yield()
"""


def test_workers_die_with_a_parent_that_was_killed(tmp_path):
    (tmp_path / "forever.py").write_text(FOREVER)
    (tmp_path / "main.py").write_text(ORPHANS)
    parent = subprocess.Popen([sys.executable, tmp_path / "main.py", tmp_path])
    pids = eventually(lambda: [path.stem for path in tmp_path.glob("*.pid")], lambda found: len(found) == 2)
    parent.kill()
    parent.wait()
    alive = eventually(lambda: [pid for pid in pids if running(pid)], lambda left: not left)
    assert alive == []


def eventually(look, good):
    """What ``look`` shows once it is good, or after half a minute of a busy machine."""
    for _ in range(600):
        if good(found := look()):
            return found
        time.sleep(0.05)
    return look()


def running(pid):
    status = Path("/proc", pid, "stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


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


def doubled(number):
    if number < 0:
        raise ValueError("negative")
    return 2 * number, os.getpid()


def test_what_is_streamed_comes_back_in_order_from_other_processes():
    made = list(streamed(doubled, iter(range(7)), workers=2))
    assert [number for number, _ in made] == [0, 2, 4, 6, 8, 10, 12]
    assert os.getpid() not in {process for _, process in made}


def test_streaming_makes_no_more_items_than_wait():
    made = []

    def items():
        for number in range(9):
            made.append(number)
            yield number

    stream = streamed(doubled, items(), workers=2)
    next(stream)
    assert len(made) <= 4
    stream.close()
    assert not multiprocessing.active_children()


def test_one_worker_streams_in_its_own_process():
    assert {process for _, process in streamed(doubled, [1, 2], workers=1)} == {os.getpid()}


def test_a_fault_ends_the_workers():
    with pytest.raises(ValueError, match="negative"):
        list(streamed(doubled, [1, -1, 2, 3], workers=2))
    assert not multiprocessing.active_children()
