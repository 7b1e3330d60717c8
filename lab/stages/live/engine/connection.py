"""The way to the Docker engine, and why there is none: every failure names the command that mends it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import PrerequisiteError

if TYPE_CHECKING:
    from lab.stages.live.engine.engine import Engine

DEFAULT = "unix:///var/run/docker.sock"
API_AT_LEAST = (1, 41)  # Docker 20.10, the oldest engine this was measured on
_TIMEOUT_S = 120  # for one answer; taking in an image of 80 MB is the longest


def connect() -> Engine:
    """The engine of DOCKER_HOST (a Unix socket) or of the default one. PrerequisiteError if it cannot carry a lab."""
    from lab.stages.live.engine.engine import FAULTS, Engine, client, told

    where = os.environ.get("DOCKER_HOST") or DEFAULT
    _knock(where)
    try:
        reached = client(where, _TIMEOUT_S)
        version, traits = reached.version(), reached.info()
    except FAULTS as fault:
        raise PrerequisiteError(
            f"{where}: the Docker engine does not answer: {told(fault)}; restart it: systemctl restart docker"
        ) from fault
    lack = unfit(version, traits)
    if lack:
        raise PrerequisiteError(f"{where}: {lack}")
    return Engine(reached, str(version["Version"]))


def _knock(where: str) -> None:
    """Opens the socket once: its own words say better than the SDK's what is wrong."""
    if not where.startswith("unix://"):
        raise PrerequisiteError(
            f"DOCKER_HOST={where}: a live lab needs an engine on this machine, by its Unix socket; "
            f"try: env -u DOCKER_HOST droidrange ..."
        )
    path = where.removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(path)
    except PermissionError as fault:
        raise PrerequisiteError(
            f"{path}: this user may not talk to the Docker engine; sudo usermod -aG docker $USER, then log in again"
        ) from fault
    except OSError as fault:
        raise PrerequisiteError(f"{path}: {_reason(path)}") from fault


def _reason(path: str) -> str:
    if os.environ.get("DOCKER_HOST"):
        return "no Docker engine listens where DOCKER_HOST points; start it, or: env -u DOCKER_HOST droidrange ..."
    if Path(path).exists():
        return "no Docker engine listens there; start it: systemctl start docker (or: dockerd &)"
    return "no Docker engine; apt-get install docker.io, then systemctl start docker (or: dockerd &)"


def unfit(version: dict[str, Any], traits: dict[str, Any]) -> str:
    """Why an engine cannot carry a lab, from its answers to /version and /info; empty if it can."""
    api = tuple(int(part) for part in str(version.get("ApiVersion", "0.0")).split("."))
    if api < API_AT_LEAST:
        return (
            f"Docker {version.get('Version')} speaks API {version.get('ApiVersion')}, at least "
            f"{'.'.join(map(str, API_AT_LEAST))} is needed (Docker 20.10): apt-get install docker.io"
        )
    if traits.get("OSType", "linux") != "linux":
        return "the engine runs Windows containers; switch it to Linux containers"
    if "Docker Desktop" in str(traits.get("OperatingSystem", "")):
        return "Docker Desktop keeps containers in a machine of its own, out of reach: apt-get install docker.io"
    if any("rootless" in str(option) for option in traits.get("SecurityOptions") or ()):
        return "a rootless engine hides containers' addresses from the host: systemctl start docker (as root)"
    return ""
