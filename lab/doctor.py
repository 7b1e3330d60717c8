"""What this machine has and lacks for droidrange, and the command that mends each lack."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BASE_PACKAGES = ("numpy", "pyarrow", "scapy", "h11", "wsproto", "dnslib", "cryptography", "pydantic", "typer", "rich")


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
    return [_python(), *map(_package, BASE_PACKAGES), _scenarios(), _space(), *_tools(), _docker()]


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
    """Programs that only compare with us or check us: nothing of the embedded default needs them."""
    return [
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


def _docker() -> Check:
    socket = Path(os.environ.get("DOCKER_HOST", "/var/run/docker.sock").removeprefix("unix://"))
    found = "engine socket present" if socket.exists() else "no engine"
    return Check("docker engine", socket.exists(), False, found, "apt-get install docker.io && dockerd &")
