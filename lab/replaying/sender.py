"""The paced sender: frames that lie ready leave through packet sockets, each at its moment of the monotonic clock.

It sleeps until SPIN_NS before a deadline and then watches the clock; deadlines are absolute, so that a late frame does
not make later ones late; the rate cap alone may. What that reaches is measured in docs/replay.md.
"""

from __future__ import annotations

import errno
import gc
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.contract import Advance
from lab.errors import StageError
from lab.replaying.checksums import Bytes, Int64
from lab.replaying.schedule import Bucket

SPIN_NS = 200_000
TOLD_NS = 500_000_000  # between two words of progress, said only where the next frame is far
FAR_NS = 20_000_000  # a pause in which there is time to say it
DENSE = 1 << 16  # frames without such a pause after which a word is said all the same
NOT_YET = -1
_SOL_PACKET, _IGNORE_OUTGOING = 263, 23  # linux/socket.h, linux/if_packet.h
PATIENCE_NS = 20_000_000  # how long a full queue may refuse a frame before it counts as failed
TRIES = 10  # at least, however busy this machine is
FULL = (errno.ENOBUFS, errno.EAGAIN)
SPUN_SHARE = 0.9  # of a processor that spinning may take at the highest priority
FIFO, NICEST = 1, -20


class Sends(Protocol):
    """Whatever a frame leaves through."""

    def send(self, frame: memoryview, /) -> int:
        """Sends one frame; OSError if it cannot."""
        ...


@dataclass(frozen=True)
class Batch:
    """Frames ``buffer[begin:begin + size]``, when each is due (nanoseconds, ascending), and by which outlet."""

    buffer: Bytes
    begin: Int64
    size: Int64
    due: Int64
    leg: NDArray[np.uint8]
    limit: Bucket = field(default_factory=Bucket)


def send(outlets: Sequence[Sends], batch: Batch, left: Int64, start: int, advance: Advance) -> dict[str, int]:
    """Sends every frame of the batch through its outlet, at ``start`` (of time.monotonic_ns) plus what it is due.

    ``left`` gets the nanosecond since the start at which each was gone; it stays NOT_YET for one that the queue refused
    for PATIENCE_NS or that is too long for the interface.
    Returns how many failed, and why; StageError where the interface has gone.
    """
    data, out = memoryview(batch.buffer.data), [outlet.send for outlet in outlets]
    faults: dict[str, int] = {}
    clock, rest, told, total, limit = time.monotonic_ns, time.sleep, 0, len(left), batch.limit
    stamps, ends = memoryview(left.data), batch.begin + batch.size
    rows = zip(batch.due.tolist(), batch.begin.tolist(), ends.tolist(), batch.leg.tolist(), strict=True)
    for row, (at, begin, end, way) in enumerate(rows):
        moment = max(start + at, limit.opens)
        wait = moment - clock()
        if wait > SPIN_NS:
            if wait > FAR_NS and clock() - told > TOLD_NS:
                advance(row, total)
                told = clock()
                wait = moment - told
            rest(max(wait - SPIN_NS, 0) / 1e9)
        elif not row % DENSE:
            advance(row, total)
        while (now := clock()) < moment:
            pass
        try:
            out[way](data[begin:end])
        except OSError as fault:
            if not _again(out[way], data[begin:end], fault, faults):
                continue
        stamps[row] = clock() - start
        limit.took(now)
    advance(total, total)
    return faults


def _again(put: object, frame: memoryview, fault: OSError, faults: dict[str, int]) -> bool:
    """Whether the frame left after all."""
    until, tries = time.monotonic_ns() + PATIENCE_NS, 0
    while fault.errno in FULL and (time.monotonic_ns() < until or tries < TRIES):
        time.sleep(1e-5)
        tries += 1
        try:
            put(frame)  # type: ignore[operator]  # a bound send of Sends
        except OSError as again:
            fault = again
        else:
            return True
    if fault.errno not in {*FULL, errno.EMSGSIZE}:
        raise StageError(f"the interface takes no more frames: {fault.strerror}; droidrange lab wire status") from fault
    why = fault.strerror or str(fault)
    faults[why] = faults.get(why, 0) + 1
    return False


def packet_socket(interface: str, *, listens: bool = False) -> socket.socket:
    """A raw packet socket on an interface of the present namespace; PermissionError without CAP_NET_RAW.

    One that does not listen is bound to no protocol, so that the kernel puts nothing into it.
    """
    protocol = 0x0003 if listens else 0  # ETH_P_ALL
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    if listens:
        made.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF if listens else socket.SO_SNDBUF, 8 << 20)
    made.bind((interface, protocol))
    return made


@contextmanager
def undisturbed(busiest: int) -> Iterator[str]:
    """No garbage collection, and the highest priority that is fair to whoever else is on this machine; yields its name.

    ``busiest`` is the greatest number of frames due in one second. Real-time priority is taken only where spinning
    before each leaves a tenth of a processor; without the right to it things stay as they are.
    """
    collecting, nice = gc.isenabled(), os.getpriority(os.PRIO_PROCESS, 0)
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    gc.collect()
    gc.disable()
    name = "normal"
    with suppress(OSError):
        if busiest * SPIN_NS < SPUN_SHARE * 1e9:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO))
            name = "real-time"
        else:
            os.setpriority(os.PRIO_PROCESS, 0, NICEST)
            name = f"nice {NICEST}"
    try:
        yield name
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, policy, parameter)
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        if collecting:
            gc.enable()


def busiest_second(due: Int64) -> int:
    """The greatest number of frames that are due within any second."""
    if not len(due):
        return 0
    behind = np.searchsorted(due, due + 1_000_000_000)
    return int((behind - np.arange(len(due))).max())
