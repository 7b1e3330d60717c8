"""A foreign program run in a cell: fed, listened to, watched, and ended at its limits with all its children.

The cell (cell.py) is built by the kernel's namespaces where it lets us, which a trial run finds out once per process:
no network, nothing of the file system but the system, the interpreter, ``reads`` and the folder, no other process.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from detector.fenced.order import BARE, OPEN, Order
from detector.fenced.outcome import TOLD, Ended, Failed, Limits
from detector.fenced.watch import stored, used

CELL = Path(__file__).with_name("cell.py")
PIECE = 1 << 16
LOOK_S, STORED_S, GRACE_S = 0.05, 0.5, 10.0
NO_LIMITS = Limits()
#: Signals by which the kernel ends whoever reached a limit, setrlimit(2).
SIGNALS: Mapping[int, Callable[[Limits], str]] = {
    signal.SIGXCPU: lambda limits: f"it computed longer than {limits.cpu_seconds} s",
    signal.SIGXFSZ: lambda limits: f"it wrote a file of more than {limits.output:,} bytes",
}


def run(
    command: Sequence[str],
    *,
    folder: Path,
    reads: Sequence[Path] = (),
    limits: Limits = NO_LIMITS,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
) -> Ended:
    """How the command ended; its working folder, the only place where what it writes stays, is ``folder``.

    It may read the system's programs and libraries, this interpreter with its packages, and ``reads`` (files, folders),
    which are read-only even inside ``folder``. Its environment is a path, a locale, TMPDIR (the folder), and
    ``environment``. Failed where it reached a limit, named, or could not be started. What the fence cannot close on
    this machine is in Ended.open, and said once.
    """
    return execute(Order(command, folder, reach(), reads, limits, environment or {}), stdin)


@cache
def reach() -> str:
    """How far the fence reaches here: "all", "network" (nothing else is closed), or "none" (limits alone).

    Found out by a trial run; anything but "all" is said as a warning of the logger ``droidrange``.
    """
    log = logging.getLogger("droidrange")
    found = "none"
    with tempfile.TemporaryDirectory(prefix="") as name:
        for tried in ("all", "network"):
            trial = [sys.executable, "-I", "-S", "-c", "print(7)"]
            try:
                execute(Order(trial, Path(name), tried, limits=Limits(seconds=60.0)))
            except Failed as fault:
                log.info("the fence '%s' does not stand here: %s", tried, fault)
            else:
                found = tried
                break
    if left := OPEN[found]:
        why = "it takes user namespaces and Linux 5.12"
        log.warning("a foreign detector is not closed off from %s on this machine (%s)", ", ".join(left), why)
    return found


def left_open() -> tuple[str, ...]:
    """What the fence cannot close on this machine: some of "network", "files", "processes"; nothing if it is whole."""
    return OPEN[reach()]


@dataclass
class _Heard:
    """What came out so far."""

    stdout: list[bytes] = field(default_factory=list)
    stderr: bytes = b""
    status: bytes = b""
    said: int = 0  # bytes of stdout and stderr


@dataclass
class _Watched:
    """A running cell and what it may still use."""

    process: subprocess.Popen[bytes]
    order: Order
    began: float
    before: int  # bytes in the folder
    looked: float = 0.0
    weighed: float = 0.0

    def fault(self, said: int) -> str | None:
        """Which limit is reached, in words, after so many bytes of output; None while none is."""
        now, limits = time.monotonic(), self.order.limits
        if now - self.began > limits.seconds:
            return f"it ran longer than {limits.seconds:g} s"
        if said > limits.output:
            return f"it wrote more than {limits.output:,} bytes to stdout and stderr"
        if now - self.looked >= LOOK_S:
            tasks, memory = used(self.process.pid)
            self.looked = time.monotonic()
            if tasks >= self.order.most:
                return f"it had {tasks:,} processes and threads, expected fewer than {self.order.most:,}"
            if memory > limits.memory:
                return f"its processes held more than {limits.memory:,} bytes of memory"
        if now - self.weighed >= STORED_S:
            kept = stored(self.order.folder) - self.before
            self.weighed = time.monotonic()
            if kept > limits.output:
                return f"it put more than {limits.output:,} bytes, or too many files, into its folder"
        return None


def execute(order: Order, stdin: bytes | None = None) -> Ended:
    """How an order ended; Failed as ``run`` says."""
    text = order.to_json()
    (asleep, life), (status, told) = os.pipe(), os.pipe()
    heard = _Heard()
    fault = None
    try:
        with tempfile.TemporaryFile() as given:
            given.write(stdin or b"")
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - our own script; what it runs is the very purpose
                [sys.executable, "-I", "-S", str(CELL), text, str(asleep), str(told)],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(asleep, told),
                start_new_session=True,
                env=dict(BARE),
            )
        os.close(asleep)
        os.close(told)
        try:
            fault = _listen(_Watched(process, order, time.monotonic(), stored(order.folder)), heard, status)
        finally:
            os.close(life)  # the keeper ends all; so it does when we are killed
            _await(process)
    finally:
        os.close(status)
    return _ended(order, heard, fault)


def _listen(watched: _Watched, heard: _Heard, status: int) -> str | None:
    """Hears the cell until nobody in it can say more, or a limit is reached, which is returned."""
    process = watched.process
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = process.stdout.fileno(), process.stderr.fileno()
    with selectors.DefaultSelector() as waiting:
        for pipe in (out, err, status):
            waiting.register(pipe, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select(LOOK_S):
                piece = os.read(key.fd, PIECE)
                if not piece:
                    waiting.unregister(key.fd)
                elif key.fd == status:
                    heard.status += piece
                elif key.fd == out:
                    heard.stdout.append(piece)
                else:
                    heard.stderr = (heard.stderr + piece)[-TOLD:]
                heard.said += len(piece)
            if fault := watched.fault(heard.said):
                return fault
    return None


def _await(process: subprocess.Popen[bytes]) -> None:
    """Waits for the keeper, which ends what it keeps; by force where it does not."""
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _ended(order: Order, heard: _Heard, fault: str | None) -> Ended:
    ended = Ended(0, b"".join(heard.stdout), heard.stderr, OPEN[order.reach])
    lines = heard.status.splitlines()
    told: dict[str, Any] = json.loads(lines[0]) if lines else {"broken": "it ended without a word"}
    number = int(told.get("signal", 0))
    if fault is None and number in SIGNALS:
        fault = SIGNALS[number](order.limits)
    if fault is not None:
        raise Failed(f"{order.program.name} was ended: {fault}; on stderr: {ended.told}")
    if "broken" in told:
        raise Failed(f"{order.program.name} could not be run behind the fence: {told['broken']}")
    return Ended(128 + number if number else int(told["code"]), ended.stdout, ended.stderr, ended.open)
