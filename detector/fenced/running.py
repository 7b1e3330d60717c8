"""A foreign program run in a cell: fed, listened to, watched, and ended at its limits with all its children.

The cell (cell.py) is built by the kernel's namespaces where it lets us, which a trial run finds out once per process:
no network, nothing of the file system but the system, the interpreter, ``reads`` and the folder, no other process.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import detector
from detector.fenced.outcome import PROCESSES, TOLD, Ended, Failed, Limits
from detector.fenced.watch import stored, used

CELL = Path(__file__).with_name("cell.py")
OPEN = {"all": (), "network": ("files", "processes"), "none": ("network", "files", "processes")}
PIECE = 1 << 16
LOOK_S, STORED_S, GRACE_S = 0.05, 0.5, 10.0
BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
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
    """How the command ended; its working folder, the only place it can write, is ``folder``.

    It may read the system's programs and libraries, this interpreter with its packages, and ``reads`` (files, folders),
    even inside ``folder``. Its environment is a path, a locale, TMPDIR (the folder) and ``environment``. Failed where it
    reached a limit, named, or could not be started. What the fence cannot close here is in Ended.open, and said once.
    """
    reach = level()
    return _run(_order(command, folder, reads, limits, environment, reach), limits, stdin)


@cache
def level() -> str:
    """How far the fence reaches here: "all", "network" (no other closed), or "none" (limits alone); said if not all."""
    with tempfile.TemporaryDirectory(prefix="") as name:
        for reach in ("all", "network"):
            order = _order([sys.executable, "-I", "-S", "-c", "print(7)"], Path(name), (), NO_LIMITS, None, reach)
            try:
                if _run(order, Limits(seconds=60.0), None).stdout == b"7\n":
                    break
            except Failed as fault:
                logging.getLogger("droidrange").info("fence '%s': %s", reach, fault)
        else:
            reach = "none"
    if left := OPEN[reach]:
        logging.getLogger("droidrange").warning(
            "the kernel lets no process here be closed off from %s: a foreign detector is held by limits alone there"
            " (user namespaces and Linux 5.12 are needed)",
            ", ".join(left),
        )
    return reach


def left_open() -> tuple[str, ...]:
    """What the fence cannot close on this machine: "network", "files", "processes"; nothing where it is whole."""
    return OPEN[level()]


def _order(
    command: Sequence[str],
    folder: Path,
    reads: Sequence[Path],
    limits: Limits,
    environment: Mapping[str, str] | None,
    reach: str,
) -> dict[str, object]:
    """What cell.py is told; Failed if there is no such program."""
    program = shutil.which(command[0])
    if program is None:
        raise Failed(f"{command[0]}: not found, expected a program on the PATH; install it and try again")
    place = str(folder.resolve(strict=True))
    return {
        "command": [str(Path(program).absolute()), *command[1:]],
        "folder": place,
        "reads": sorted({*_interpreter(), str(Path(program).absolute()), *(str(path.absolute()) for path in reads)}),
        "environment": {**BARE, "TMPDIR": place, **(environment or {})},
        "level": reach,
        "cpu_seconds": limits.cpu_seconds,
        "memory": limits.memory,
        "output": limits.output,
        "processes": limits.processes or PROCESSES,
    }


def _interpreter() -> set[str]:
    """Where this interpreter, its packages and the detector's sources lie."""
    own = {sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(sys.executable).resolve()), sys.executable}
    return own | {str(Path(place).absolute()) for place in detector.__path__}


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
    folder: Path
    limits: Limits
    began: float
    before: int  # bytes in the folder
    looked: float = 0.0
    weighed: float = 0.0

    def fault(self, heard: _Heard) -> str | None:
        """Which limit is reached, in words; None while none is."""
        now, limits = time.monotonic(), self.limits
        if now - self.began > limits.seconds:
            return f"it ran longer than {limits.seconds:g} s"
        if heard.said > limits.output:
            return f"it wrote more than {limits.output:,} bytes to stdout and stderr"
        if now - self.looked >= LOOK_S:
            tasks, memory = used(self.process.pid)
            self.looked = time.monotonic()
            most = limits.processes or PROCESSES
            if tasks >= most:
                return f"it had {tasks:,} processes and threads, of fewer than {most:,} allowed"
            if memory > limits.memory:
                return f"its processes held more than {limits.memory:,} bytes of memory"
        if now - self.weighed >= STORED_S:
            kept = stored(self.folder) - self.before
            self.weighed = time.monotonic()
            if kept > limits.output:
                return f"it put more than {limits.output:,} bytes, or too many files, into its folder"
        return None


def _run(order: dict[str, object], limits: Limits, stdin: bytes | None) -> Ended:
    folder = Path(str(order["folder"]))
    (asleep, life), (status, told) = os.pipe(), os.pipe()
    with tempfile.TemporaryFile() as given:
        given.write(stdin or b"")
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - our own script; what it runs is the very purpose
            [sys.executable, "-I", "-S", str(CELL), json.dumps(order), str(asleep), str(told)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(asleep, told),
            start_new_session=True,
            env=dict(BARE),
        )
    os.close(asleep)
    os.close(told)
    watched = _Watched(process, folder, limits, time.monotonic(), stored(folder))
    heard = _Heard()
    fault = None
    try:
        fault = _listen(watched, heard, status)
    finally:
        os.close(life)  # the keeper ends all; so it does when we are killed
        _drain(process)
        os.close(status)
    return _ended(order, limits, heard, fault)


def _listen(watched: _Watched, heard: _Heard, status: int) -> str | None:
    """Hears the cell until it has told how it ended, or a limit is reached, which is returned."""
    process = watched.process
    assert process.stdout is not None
    assert process.stderr is not None
    with selectors.DefaultSelector() as waiting:
        for pipe in (process.stdout.fileno(), process.stderr.fileno(), status):
            os.set_blocking(pipe, False)
            waiting.register(pipe, selectors.EVENT_READ)
        names = {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr", status: "status"}
        while waiting.get_map():
            for key, _ in waiting.select(LOOK_S):
                piece = os.read(key.fd, PIECE)
                if not piece:
                    waiting.unregister(key.fd)
                elif names[key.fd] == "stdout":
                    heard.stdout.append(piece)
                    heard.said += len(piece)
                elif names[key.fd] == "stderr":
                    heard.stderr = (heard.stderr + piece)[-TOLD:]
                    heard.said += len(piece)
                else:
                    heard.status += piece
            fault = watched.fault(heard)
            if fault:
                return fault
    return None


def _drain(process: subprocess.Popen[bytes]) -> None:
    """Waits for the keeper, which ends what it keeps; by force where it does not."""
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _ended(order: dict[str, object], limits: Limits, heard: _Heard, fault: str | None) -> Ended:
    command: object = order["command"]
    assert isinstance(command, list)
    name = Path(command[0]).name
    ended = Ended(0, b"".join(heard.stdout), heard.stderr, OPEN[str(order["level"])])
    if fault:
        raise Failed(f"{name} was ended: {fault}; on stderr: {ended.told}")
    told = json.loads(heard.status.splitlines()[0]) if heard.status else {"broken": "the cell ended without a word"}
    if "broken" in told:
        raise Failed(f"{name} could not be run behind the fence: {told['broken']}; on stderr: {ended.told}")
    if told.get("signal") in SIGNALS:
        raise Failed(f"{name} was ended: {SIGNALS[told['signal']](limits)}; on stderr: {ended.told}")
    code = 128 + told["signal"] if "signal" in told else told["code"]
    return Ended(code, ended.stdout, ended.stderr, ended.open)
