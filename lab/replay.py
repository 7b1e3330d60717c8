"""A recording or capture sent again: planned, shown, put on a wire, or handed to a detector in virtual time.

What may be sent where is decided in lab.replaying.permit and lab.replaying.addressing, before the first frame.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from detector.contract import Advance
from lab.console import say
from lab.errors import StageError
from lab.replaying.checksums import Int64
from lab.replaying.interfaces import interface
from lab.replaying.lateness import lateness
from lab.replaying.outlets import opened, permitted
from lab.replaying.planned import Plan, Wishes, plan, write_virtual
from lab.replaying.reporting import Report
from lab.replaying.schedule import Bucket
from lab.replaying.sender import NOT_YET, Batch, send, undisturbed

__all__ = ["Plan", "Report", "Wishes", "permitted", "plan", "replay", "write_virtual"]

HEAD_START_NS = 20_000_000  # from the last preparation to the first frame
KEPT = 10_000_000  # frames whose moments are kept for the report; later rounds are only counted


def replay(planned: Plan, specs: Sequence[str], owned: Sequence[str], advance: Advance) -> Report:
    """Sends the plan: on one interface everything, on two the devices' side on the first and the other on the second.

    Raises ScenarioError for an interface on which nothing may be sent, PrerequisiteError without the right to, and
    StageError if one goes away meanwhile.
    """
    chosen = permitted(specs, owned, planned.longest)
    report = Report(planned=len(planned.due) * planned.loops)
    leg = planned.side if len(chosen) > 1 else np.zeros(len(planned.due), np.uint8)
    with ExitStack() as held:
        outlets = [held.enter_context(opened(one)) for one in chosen]
        report.priority = held.enter_context(undisturbed(planned.busiest_second))
        try:
            _rounds(planned, outlets, leg, report, advance)
        except KeyboardInterrupt:
            say(f"{report.sent:,} of {report.planned:,} frames had left")
            raise
    for before in chosen:
        after = interface(before.spec)
        report.counted[before.spec] = after.sent - before.sent if after else 0
    return report


def _rounds(
    planned: Plan, outlets: Sequence[socket.socket], leg: NDArray[np.uint8], report: Report, advance: Advance
) -> None:
    """Every round, and what became of its frames."""
    prepared, count, limit = planned.prepared, len(planned.due), Bucket(planned.cap)
    start = time.monotonic_ns() + HEAD_START_NS
    moments: list[tuple[Int64, Int64]] = []
    for number in range(planned.loops):
        if number:
            prepared.turn()
        due, left = planned.due + number * planned.period, np.full(count, NOT_YET, np.int64)
        batch = Batch(prepared.buffer, prepared.begin, prepared.size, due, leg, limit)

        def told(done: int, _total: int, before: int = number * count) -> None:
            advance(before + done, report.planned)

        try:
            faults = send(outlets, batch, left, start, told)
            for why, times in faults.items():
                report.failed[why] = report.failed.get(why, 0) + times
        finally:
            gone = left != NOT_YET
            report.sent += int(np.count_nonzero(gone))
            if len(moments) * count <= KEPT:
                moments.append((due[gone], left[gone]))
        report.rounds += 1
    whole = [np.concatenate(parts) for parts in zip(*moments, strict=True)]
    report.lateness = lateness(*whole) if len(whole[0]) else None
    if not report.sent:
        raise StageError(f"no frame left: {report.failed}")
