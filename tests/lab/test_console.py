import json
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
import typer

from lab import console
from lab.console import EVERY_S, FAILED, INTERRUPTED, USAGE, Pulse, beat, emit_json, guarded, printable, progress
from lab.errors import EvidenceError, Failed, PrerequisiteError, ScenarioError, StageError, Unsupported

BOUND_S = 120  # ends what hangs; says nothing of how fast anything is


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (EvidenceError("cut short at packet 7"), FAILED),
        (PrerequisiteError("no engine"), FAILED),
        (StageError("ours"), FAILED),
        (Unsupported("no table"), FAILED),
        (Failed("it hung"), FAILED),
        (ScenarioError(["x.toml: a", "x.toml: b"]), USAGE),
        (LookupError("unknown detector 'x'"), USAGE),
        (FileNotFoundError(2, "no such file", "x.pcap"), USAGE),
        (OSError(28, "No space left on device"), FAILED),
        (KeyError("a fault of ours"), FAILED),
        (ZeroDivisionError("a fault of ours"), FAILED),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
)
def test_each_failure_has_its_exit_code(fault, code, capsys):
    @guarded
    def command():
        raise fault

    with pytest.raises(typer.Exit) as left:
        command()
    assert left.value.exit_code == code
    assert capsys.readouterr().out == ""


def test_all_scenario_faults_are_said_at_once(capsys):
    @guarded
    def command():
        raise ScenarioError(["x.toml: app 1: a", "x.toml: app 2: b"])

    with pytest.raises(typer.Exit):
        command()
    assert "app 1: a\nx.toml: app 2: b" in capsys.readouterr().err


def test_a_result_passes_through():
    assert guarded(lambda: 7)() == 7


def test_control_characters_never_reach_the_terminal():
    assert printable("a\x1b[2Jb\x07\u202ec\n") == "a\ufffd[2Jb\ufffd\ufffdc\n"


def test_json_has_no_nan(capsys):
    emit_json({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    with pytest.raises(ValueError, match="JSON"):
        emit_json({"a": float("nan")})


class Clock:
    """A clock that goes only where it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def beaten(pulse, clock, *steps):
    """Lets EVERY_S seconds pass for each step, which is taken half-way, and then ends."""
    left = list(steps)

    def stopped(seconds):
        clock.now += seconds / 2
        if not left:
            return True
        if left[0]:
            pulse.advance(*left[0])
        clock.now += seconds / 2
        left.pop(0)
        return False

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        beat(pulse, stopped)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_progress_is_a_plain_line_every_fifteen_seconds(capsys):
    clock = Clock()
    beaten(Pulse("run core", clock), clock, None, (3, 15), None, (15, 15))
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == (
        "",
        [
            "run core: preparing after 15 s",
            "run core: 3 of 15, 20 % after 30 s",
            "run core: 3 of 15, 20 % after 45 s; at this point for 22 s",
            "run core: 15 of 15, 100 % after 60 s",
        ],
    )
    assert 10 <= EVERY_S <= 30


def test_progress_of_many_small_steps_is_a_share(capsys):
    clock = Clock()
    beaten(Pulse("read x.pcap", clock), clock, (4_000_000, 64_000_000))
    assert capsys.readouterr().err == "read x.pcap: 6 % after 15 s\n"


def test_what_is_done_within_seconds_says_nothing(capsys):
    with progress("x") as advance:
        advance(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("fault", [None, KeyboardInterrupt])
def test_progress_ends_with_its_command(fault, monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(console, "EVERY_S", 0.001)
    monkeypatch.setattr(console, "say", lambda _line: said.set())
    before = threading.active_count()
    with suppress(KeyboardInterrupt), progress("x"):
        assert said.wait(BOUND_S)  # the negative control: it does speak
        if fault:
            raise fault
    assert threading.active_count() == before


PIPED = """
import os, sys
from lab.console import {what}, guarded
import typer
app = typer.Typer()
@app.command()
@guarded
def say() -> None:
    r, w = os.pipe(); os.dup2(w, 1); os.close(w); os.close(r)
    {how}
    sys.stdout.flush()
    raise typer.Exit({code})
app()
"""


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    ("what", "how"), [("emit", "emit('x' * 100_000)"), ("screen", "screen().print('x' * 100_000)")]
)
def test_a_reader_that_has_gone_does_not_change_the_verdict(what, how, code):
    script = PIPED.format(what=what, how=how, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")


EARLY = """
import signal
import typer
from lab import cli
{before}
@cli.app.command()
def early() -> None:
    signal.raise_signal(signal.SIGINT)
import sys
sys.argv = ["droidrange", "early"]
{late}
cli.main()
"""


@pytest.mark.parametrize("late", ["", "def broken(): raise KeyboardInterrupt\ncli.app = broken"])
def test_ctrl_c_before_a_commands_guard_is_answered_too(late):
    script = EARLY.format(before=HEARS, late=late)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("interrupted: no file is half-written")) == (INTERRUPTED, 1), done.stderr


LIVE = """
import asyncio, signal, time
from lab.console import guarded
import typer
app = typer.Typer()
async def play():
    try:
        {first}
        print("playing", flush=True)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        {tidying}
@app.command()
@guarded
def record() -> None:
    asyncio.run(play())
    print("recorded", flush=True)
    raise KeyboardInterrupt
{before}
app()
"""


HEARS = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests are a background job it is ignored
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # and blocked since a command was guarded in their process
"""
DEAF = "signal.signal(signal.SIGINT, signal.SIG_IGN)"  # as a shell starts a background job


def stopped(*numbers, first="pass", tidying="pass", before=HEARS):
    """What a live command prints that gets these signals, each after a line of its output, and how it ends."""
    script = LIVE.format(first=first, tidying=tidying, before=before)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        bound = threading.Timer(BOUND_S, child.kill)
        bound.start()
        try:
            for number in numbers:
                child.stdout.readline()
                child.send_signal(number)
            out, err = child.communicate()
        finally:
            bound.cancel()
            bound.join()
    return child.returncode, out.split(), err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_live_run_that_is_told_to_end_still_writes_what_it_has(number):
    code, out, err = stopped(number)
    assert (code, out) == (INTERRUPTED, ["cancelled", "recorded"])
    assert "interrupted: no file is half-written" in err
    assert "nothing" not in err


def test_the_second_signal_ends_it_at_once():
    code, out, _ = stopped(signal.SIGTERM, signal.SIGTERM, tidying="time.sleep(12_000)")
    assert (code, out) == (INTERRUPTED, [])


def test_a_background_job_is_deaf_to_ctrl_c_and_hears_sigterm():
    ctrl_c = "signal.raise_signal(signal.SIGINT)"
    code, out, _ = stopped(signal.SIGTERM, first=ctrl_c, before=DEAF)
    assert (code, out) == (INTERRUPTED, ["cancelled", "recorded"])
    code, out, _ = stopped(first=ctrl_c)  # in the foreground it is heard
    assert (code, out) == (INTERRUPTED, ["playing", "cancelled", "recorded"])
