"""droidrange's commands as the live tests run them: each ends within a bound that is there to end a hang, or says all.

What did not end says so far, then the state of the machine's labs: containers, their programs, their last words.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lab.stages.live.engine import connect
from lab.stages.live.engine.session import LABEL

DROIDRANGE = str(Path(sys.executable).with_name("droidrange"))
BOUND_S = 600  # no judgement of speed: a run is given two minutes more than it plans, then it ends itself
_FAREWELL_S = 90


def begun(*words: str | Path, state: Path) -> subprocess.Popen[str]:
    """A command under way."""
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    pipe = subprocess.PIPE
    return subprocess.Popen([DROIDRANGE, *words], env=environment, stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str], code: int | None = 0, *, within_s: float = BOUND_S) -> tuple[str, str]:
    """What it said on stdout and stderr; it must end in time, and with this code unless that is None."""
    try:
        said, complaint = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        labs = labs_now()  # before the interrupt changes them
        process.send_signal(signal.SIGINT)  # it then writes what it has, and why
        raise AssertionError(f"not over after {within_s:g} s: {process.args}\n{_farewell(process)}\n{labs}") from None
    finally:
        process.kill()
    assert code is None or process.returncode == code, f"{process.args} ended with {process.returncode}\n{complaint}"
    return said, complaint


def droidrange(*words: str | Path, state: Path, code: int | None = 0) -> tuple[str, str]:
    """What a command says on stdout and stderr; as ``ended``."""
    return ended(begun(*words, state=state), code)


def _farewell(process: subprocess.Popen[str]) -> str:
    try:
        said, complaint = process.communicate(timeout=_FAREWELL_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said, complaint = process.communicate()
    return f"stdout: {said[-4000:]}\nstderr: {complaint[-4000:]}"


def labs_now() -> str:
    """Every container of every lab, with its programs and the last it said."""
    told = [f"load {os.getloadavg()}"]
    for one in connect().client.containers.list(all=True, filters={"label": f"{LABEL}.lab"}, ignore_removed=True):
        try:
            rows = one.top()["Processes"] or [] if one.status == "running" else []
            last = one.logs(tail=5).decode(errors="replace")
        except Exception as fault:  # noqa: BLE001 - it is a report; a container may go meanwhile
            rows, last = [], f"{fault}"
        programs = "\n    ".join(row[-1][:100] for row in rows[:40])
        told.append(f"{one.name}: {one.status}, {len(rows)} programs\n    {programs}\n  said: {last[-600:]}")
    return "\n".join(told)
