"""What this machine has and lacks for droidrange, and the command that mends each lack."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import PrerequisiteError, StageError

if TYPE_CHECKING:
    from lab.stages.live.engine import Engine

BASE_PACKAGES = ("numpy", "pyarrow", "scapy", "h11", "wsproto", "dnslib", "cryptography", "pydantic", "typer", "rich")
LIVE_PACKAGES = ("docker", "adbutils")


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is there, whether the embedded default needs it, and what mends it."""

    name: str
    ok: bool
    required: bool
    found: str
    mend: str = ""


def checks() -> list[Check]:
    """Everything doctor looks at, required things first."""
    return [
        _python(),
        *map(_package, BASE_PACKAGES),
        _scenarios(),
        _space(),
        *_tools(),
        *_live(),
        *_androids(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("python >= 3.11", sys.version_info >= (3, 11), True, found, "make PYTHON=python3.12 demo")


def _package(name: str) -> Check:
    try:
        return Check(name, True, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, True, "absent", "make demo (installs everything into .venv)")


def _scenarios() -> Check:
    from lab.scenario import scenario_names

    found = len(scenario_names())
    return Check("scenarios", found > 0, True, f"{found} scenario files", "reinstall droidrange: its data is missing")


def _space() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    return Check("disk space here", free > 2 << 30, True, f"{free / 2**30:.1f} GiB free", "free 2 GiB for recordings")


def _tools() -> list[Check]:
    """Programs that wire replay needs, or that compare with us or check us; the embedded default needs none."""
    return [
        _tool("ip", ["-V"], "apt-get install iproute2 (replay and lab wire need it)"),
        _tool("tshark", ["--version"], "apt-get install tshark"),
        _tool("suricata", ["-V"], "apt-get install -t bookworm-backports suricata"),
    ]


def _tool(name: str, words: list[str], mend: str) -> Check:
    where = shutil.which(name)
    if where is None:
        return Check(name, False, False, "absent", mend)
    try:
        answer = subprocess.run([where, *words], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - fixed words, no shell
    except (OSError, subprocess.TimeoutExpired) as fault:
        return Check(name, False, False, f"does not run: {fault}", mend)
    text = (answer.stdout or answer.stderr).strip().splitlines()
    return Check(name, answer.returncode == 0, False, text[0] if text else f"exit {answer.returncode}", mend)


def _live() -> list[Check]:
    """What the live stage needs: packages, an engine, images and where they come from, nothing left of dead labs."""
    extra = [_package(name) for name in LIVE_PACKAGES]
    lacks = [check.name for check in extra if not check.ok]
    found = ", ".join(lacks) + " absent" if lacks else ", ".join(f"{check.name} {check.found}" for check in extra)
    live = Check("extra live", not lacks, False, found, "pip install 'droidrange[live]'")
    return [live, *([] if lacks else _engine())]


def _engine() -> list[Check]:
    from lab.stages.live.engine import connect

    try:
        engine = connect()
    except PrerequisiteError as fault:
        where, _, mend = str(fault).partition("; ")
        return [Check("docker engine", False, False, where, mend or where)]
    try:
        return [Check("docker engine", True, False, f"Docker {engine.version}"), *_on(engine)]
    except (PrerequisiteError, StageError) as fault:
        return [Check("docker engine", False, False, str(fault), "systemctl restart docker")]
    finally:
        engine.close()


def _on(engine: Engine) -> list[Check]:
    """What is on a reached engine."""
    from lab.stages.live.engine import find_labs, images_missing, source_of_debian
    from lab.stages.live.engine.debian import MEND

    source, missing, there = source_of_debian(engine), images_missing(engine), find_labs(engine)
    left = [lab.id for lab in there if not lab.wanted(time.time())]
    built = f"to be built: {', '.join(missing)}" if missing else "built"
    told = f"of dead labs: {', '.join(left)}" if left else f"none ({len(there)} in use)"
    return [
        Check("debian image", bool(source), False, source or "neither here, nor in a registry, nor mmdebstrap", MEND),
        Check("live images", not missing, False, built, "droidrange lab up (builds them, minutes, once)"),
        Check("left-overs", not left, False, told, "droidrange lab clean"),
    ]


def _androids() -> list[Check]:
    """Whether the kinds of Android that others make can run: those that need more of a machine than containers."""
    from lab.devices.kinds import Kind, kinds, this_machine, why_not

    machine = this_machine()

    def check(kind: Kind) -> Check:
        lacks = why_not(kind, machine)
        if lacks:
            found = f"cannot run here: {'; '.join(lack.why for lack in lacks)}"
        else:
            found = f"could run here, if {kind.image} were to be had; the live stage plays on handsets"
        return Check(kind.name, not lacks, False, found, "; ".join(lack.mend for lack in lacks))

    return [check(kind) for kind in kinds().values() if kind.needs]
