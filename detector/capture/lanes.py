"""Threads that share the work of one reading: numpy lets go of the interpreter while it computes.

Rule: results never depend on how many lanes there are, nor on which of them did what.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Thread
from typing import Generic, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

MOST = 2  # a third thread finds no work: the rest is Python, which runs in one at a time
SWITCH_S = 0.0002  # so that arrays do not wait the usual 5 ms for a thread that runs Python


class Aside(Generic[Result]):
    """Work that runs beside the calling thread until its result is asked for."""

    def __init__(self, work: Callable[[], Result], *, threaded: bool) -> None:
        self._work = work
        self._found: list[Result] = []
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._run, name="capture-aside") if threaded else None
        if self._thread:
            self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._work())
        except BaseException as fault:  # noqa: BLE001  # raised again by result(), in the thread that asks
            self._fault = fault
        del self._work

    def result(self) -> Result:
        """What the work gave, or raises what it raised; to be asked once."""
        self._thread.join() if self._thread else self._run()
        if self._fault is not None:
            raise self._fault
        return self._found.pop()


@dataclass(frozen=True)
class Lanes:
    """``threads`` threads, the calling one among them; None: as many as are of use here."""

    threads: int = field(default_factory=lambda: min(MOST, os.cpu_count() or 1))

    def aside(self, work: Callable[[], Result]) -> Aside[Result]:
        """The work begun beside the caller; with one thread it waits until its result is asked for."""
        return Aside(work, threaded=self.threads > 1)

    def over(
        self,
        work: Callable[[Part], Result],
        parts: Sequence[Part],
        after: Callable[[Part], object] = lambda _part: None,
    ) -> list[Result]:
        """The result of each part, in order; ``after`` is called in the calling thread, for the parts it did."""
        found: dict[int, Result] = {}
        following = count()

        def run(then: Callable[[Part], object]) -> None:
            while (place := next(following)) < len(parts):
                found[place] = work(parts[place])
                then(parts[place])

        helpers = [self.aside(lambda: run(lambda _part: None)) for _ in range(1, min(self.threads, len(parts)))]
        try:
            run(after)
        finally:
            for helper in helpers:
                helper.result()
        return [found[place] for place in range(len(parts))]

    @contextmanager
    def quick(self) -> Iterator[None]:
        """Threads take turns more often meanwhile, where there are several."""
        usual = sys.getswitchinterval()
        if self.threads > 1:
            sys.setswitchinterval(SWITCH_S)
        try:
            yield
        finally:
            sys.setswitchinterval(usual)


ONE_LANE = Lanes(1)
