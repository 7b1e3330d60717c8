"""Worker processes: the same function over many jobs, results in the order of the jobs, nothing left behind.

Knows nothing of what the jobs are. A worker that dies loses its jobs, and says so; an interrupt ends all workers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import Any, TypeVar

T = TypeVar("T")
J = TypeVar("J", bound=tuple[object, ...])
R = TypeVar("R")

GRACE_S = 10.0  # for a terminated worker to remove what it had half made


def in_order(
    work: Callable[..., R], jobs: Sequence[J], *, lost: Callable[[J, str], R], workers: int
) -> Generator[R, None, None]:
    """``work(*job)`` for every job, as they finish but in order; ``lost(job, reason)`` for a job whose worker died.

    Spawned, not forked: pyarrow's threads do not survive a fork. One worker or one job needs no process at all.
    Any exception, an interrupt among them, ends the workers before it goes on.
    """
    if workers <= 1 or len(jobs) <= 1:
        yield from (work(*job) for job in jobs)
        return
    with _pooled(min(workers, len(jobs))) as pool:
        futures = [pool.submit(unwound, work, job) for job in jobs]
        for job, future in zip(jobs, futures, strict=True):
            yield _result(job, future, lost)


def streamed(work: Callable[[T], R], items: Iterable[T], *, workers: int) -> Generator[R, None, None]:
    """As ``map(work, items)``, in order, for items that are made meanwhile: no more than ``workers`` wait.

    Raises what the work or the items raise, and BrokenProcessPool if a worker dies; all workers are ended first.
    """
    if workers <= 1 or multiprocessing.parent_process() is not None:  # a worker's own processor is all it has
        yield from map(work, items)
        return
    waiting: deque[Future[R]] = deque()
    with _pooled(workers) as pool:
        for item in items:
            waiting.append(pool.submit(unwound, work, (item,)))
            while len(waiting) > workers or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _pooled(workers: int) -> Generator[ProcessPoolExecutor, None, None]:
    """So many spawned workers, gone afterwards: by their own end, or ended at once by whatever is raised within."""
    before = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=leave_on_sigterm)
    try:
        yield pool
    except BaseException:
        _end(pool, [one for one in multiprocessing.active_children() if one not in before])
        raise
    pool.shutdown()


def leave_on_sigterm() -> None:
    """In a worker: Ctrl-C is the parent's to answer; its SIGTERM unwinds the stack, so that half-made files go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    die_with_parent()


def die_with_parent() -> None:
    """In a worker: the kernel ends it when its parent dies, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


def unwound(work: Callable[..., R], job: tuple[object, ...]) -> R:
    """In a worker: the result; once the stack is unwound by a SIGTERM the process ends, lest it get another job."""
    try:
        return work(*job)
    except SystemExit:
        os._exit(128 + signal.SIGTERM)


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _result(job: J, future: Future[R], lost: Callable[[J, str], R]) -> R:
    try:
        return future.result()
    except BrokenProcessPool:
        return lost(job, "a worker process died without a word (killed, or out of memory?)")


def _end(pool: ProcessPoolExecutor, workers: Sequence[multiprocessing.process.BaseProcess]) -> None:
    """Terminates the workers, kills those that will not go, and leaves it to the pool to reap them all."""
    for one in workers:
        one.terminate()
    until = time.monotonic() + GRACE_S
    alive: list[Any] = [one.sentinel for one in workers]
    while alive and (left := until - time.monotonic()) > 0:
        gone = wait(alive, left)
        alive = [sentinel for sentinel in alive if sentinel not in gone]
    for one in workers:
        if one.sentinel in alive:
            one.kill()
    pool.shutdown(cancel_futures=True)
