"""The terminal: what is said on stderr, how far a command has come, and which exit code a failure has.

Only here is an exception turned into words and a number; 3 (lab or evidence failed) is never mistaken for 0 or 1.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console

    from detector.contract import Advance

OK, BROKEN, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

STOPPED = "interrupted: no file is half-written; what a live run had captured is kept, marked as not complete"

#: Seconds between two lines of progress where stderr is no terminal.
EVERY_S = 15.0
#: Up to so many steps a line of progress counts them; beyond, the share says more.
COUNTED = 9_999

P = ParamSpec("P")
R = TypeVar("R")


def say(text: str) -> None:
    """One line to stderr, without control characters that a hostile name could carry."""
    typer.echo(printable(text), err=True)


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "alert"), plural(2, "near miss")
    ('1 alert', '2 near misses')
    """
    return f"{count} {noun}" + ("" if count == 1 else "es" if noun.endswith("s") else "s")


def printable(text: str) -> str:
    r"""The text without control characters: what a packet says must not steer a terminal.

    >>> printable("ok\x1b[31m")
    'ok�[31m'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def emit(text: str) -> None:
    """A line of the result on stdout. A reader that has gone (``| head``) is no fault: the verdict still counts."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        mute()


def emit_json(value: object) -> None:
    """A result as indented JSON on stdout; NaN is a fault of ours and raises ValueError."""
    emit(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def mute() -> None:
    """Sends what is still to be printed nowhere: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def screen() -> Console:
    """The terminal for tables. rich itself would exit with 1 on a closed pipe, which reads as "gate broken"."""
    from rich.console import Console

    class Screen(Console):
        """A console that goes on in silence when its reader has gone."""

        def on_broken_pipe(self) -> None:
            self.quiet = True
            mute()

    return Screen(highlight=False)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose failures leave as a message on stderr and the exit code that says who must act."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        _heed_signals()
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.BadParameter):
            raise
        except KeyboardInterrupt:
            say(STOPPED)
            raise typer.Exit(INTERRUPTED) from None
        except Exception as fault:  # noqa: BLE001 - the process border: Python's own exit code 1 would read as "gate broken"
            raise typer.Exit(_explain(fault)) from None

    return run


def _explain(fault: Exception) -> int:
    """The fault in words on stderr; returns its exit code."""
    from lab.errors import EvidenceError, Failed, PrerequisiteError, ScenarioError, StageError, Unsupported

    if isinstance(fault, EvidenceError | Failed | PrerequisiteError | StageError | Unsupported):
        say(f"error: {fault}")
        return FAILED
    if isinstance(fault, FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError):
        say(f"error: {fault.strerror}: {fault.filename}" if fault.filename else f"error: {fault}")
        return USAGE
    if isinstance(fault, OSError):
        say(f"error: {fault}; nothing earlier was damaged. Check space and rights, then run the command again")
        return FAILED
    if isinstance(fault, ScenarioError | LookupError) and not isinstance(fault, KeyError | IndexError):
        say(f"error: {fault}")
        return USAGE
    import traceback

    say("".join(traceback.format_exception(fault)))
    say("error: a fault of droidrange itself; nothing may be concluded from this run")
    return FAILED


def _heed_signals() -> None:
    """SIGTERM ends a command as Ctrl-C does; a shell's background job stays deaf to Ctrl-C, but not to SIGTERM."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # asyncio replaces no handler but the default one
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_interrupt)


def _as_interrupt(_signal: int, frame: FrameType | None) -> None:
    """What SIGINT would do now: in asyncio.run the first cancels the main task, which may still tidy up."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


@dataclass
class Pulse:
    """How far a command has come and for how long it has been at it, in a line; ``clock`` gives seconds."""

    title: str
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    total: int = 0
    said: int | None = None

    def __post_init__(self) -> None:
        self.began = self.moved = self.clock()

    def advance(self, done: int, total: int) -> None:
        """Takes note of it; prints nothing."""
        if (done, total) != (self.done, self.total):
            self.done, self.total, self.moved = done, total, self.clock()

    def line(self) -> str:
        """The line for now; of one that got no further since the last line, it says for how long."""
        far = f"{self.done} of {self.total}, " if 0 < self.total <= COUNTED else ""
        share = f"{far}{100 * self.done // self.total} %" if self.total else "preparing"
        now = self.clock()
        still = f"; at this point for {now - self.moved:.0f} s" if self.said == self.done else ""
        self.said = self.done
        return f"{self.title}: {share} after {now - self.began:.0f} s{still}"


def beat(pulse: Pulse, stopped: Callable[[float], bool]) -> None:
    """Says the pulse on stderr after every EVERY_S seconds, until ``stopped``, which waits so long, says so."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are the main thread's to answer
    while not stopped(EVERY_S):
        say(pulse.line())


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """How far a command is, on stderr; yields a function of (done, total).

    A bar where that is a terminal; elsewhere (a file, a pipe, CI) a plain line every EVERY_S seconds.
    """
    if not sys.stderr.isatty():
        with _lines(title) as advance:
            yield advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def _lines(title: str) -> Iterator[Advance]:
    pulse, stop = Pulse(title), threading.Event()
    speaker = threading.Thread(target=beat, args=(pulse, stop.wait), name="progress", daemon=True)
    speaker.start()
    try:
        yield pulse.advance
    finally:
        stop.set()
        speaker.join()
