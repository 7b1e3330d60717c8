"""A container as a detector: ``image:NAME``, without network, shown the telemetry in /telemetry, findings on stdout.

The image's own command runs once for each telemetry; /telemetry is read-only and holds ``<table>.parquet``,
``telemetry.json`` and, where the view shows it, ``capture.pcap`` (detector/fenced/handed.py). Exit code 0: the lines on
stdout are all findings; 127: this telemetry is none for it (unsupported); anything else has failed. What raises it
wrongly is its author's to say. The version is the digest of the image. It takes the extra ``live`` (docker's SDK) and
an engine on this machine; an image that is not there is not fetched.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer
from typing import Any

from detector.contract import Detector, Finding, Telemetry, Unsupported
from detector.fenced import Ended, Failed, Limits, hand_over, taken
from detector.fenced.outcome import PROCESSES, TOLD

ARGUMENT = "NAME"
LABEL = "droidrange.detector"
PLACE = "/telemetry"
UNSUPPORTED = 127
SOCKET = "unix:///var/run/docker.sock"
INSTALL = "apt-get install docker.io, systemctl start docker, and pip install 'droidrange[live]'"
#: A session of an engine takes a while, and so do slow disks; reading what a container says has no bound but Limits.
ANSWER_S = 120
SETTINGS = {
    "network_mode": "none",
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "tmpfs": {"/tmp": "size=64m,mode=1777"},  # noqa: S108 - the container's own
    "ipc_mode": "private",
    "init": True,
    "environment": {"TZ": "UTC", "LANG": "C.UTF-8"},
}


@dataclass(frozen=True)
class Image:
    """An image that is on the engine, by the id it had when it was asked for."""

    name: str
    version: str
    image: str
    needs: tuple[str, ...] = ()
    limits: Limits = Limits()  # noqa: RUF009 - frozen, and the same for all

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """Its findings, with the name and version by which it was asked for.

        Unsupported where it ends with 127; Failed with another code than 0, at a limit, or where it gives junk.
        """
        with tempfile.TemporaryDirectory(prefix="") as name:
            given = Path(name) / "telemetry"
            hand_over(telemetry, given)
            ended = self._run(given)
        if ended.code == UNSUPPORTED:
            raise Unsupported(f"{self.name}: {ended.told}")
        if ended.code != 0:
            raise Failed(f"{self.name} ended with code {ended.code}: {ended.told}")
        partial = telemetry.partial is not None
        for finding in taken(ended.stdout.splitlines()):
            mine = {"detector": self.name, "detector_version": self.version}
            yield replace(finding, **mine, partial=finding.partial or partial)

    def _run(self, given: Path) -> Ended:
        from docker.errors import DockerException

        with _engine() as client:
            _sweep(client)
            try:
                with _container(client, self.image, given, self.limits) as container:
                    return _listened(container, self.limits, self.name)
            except (DockerException, OSError) as fault:
                raise Failed(f"{self.name} could not be run: {_told(fault)}") from fault


@contextmanager
def _container(client: Any, image: str, given: Path, limits: Limits) -> Iterator[Any]:
    """A container that is made but not started; whatever has its label is gone afterwards."""
    from docker.types import Ulimit

    own = secrets.token_hex(8)
    ulimits = [
        Ulimit(name="cpu", soft=limits.cpu_seconds, hard=limits.cpu_seconds + 1),
        Ulimit(name="core", soft=0, hard=0),
        Ulimit(name="nofile", soft=1024, hard=1024),
    ]
    try:
        yield client.containers.create(
            image,
            **SETTINGS,
            volumes={str(given): {"bind": PLACE, "mode": "ro"}},
            mem_limit=limits.memory,
            memswap_limit=limits.memory,
            pids_limit=limits.processes or PROCESSES,
            cpu_period=100_000,
            cpu_quota=100_000 * min(2, os.cpu_count() or 1),
            ulimits=ulimits,
            log_config={"type": "none"},  # what it says without end fills no disk
            labels={LABEL: own, f"{LABEL}.owner": _owner()},
        )
    finally:
        _remove(client, f"{LABEL}={own}")


def _listened(container: Any, limits: Limits, name: str) -> Ended:
    """What the container said until it ended; Failed at a limit."""
    stdout, stderr, said, late = [], b"", 0, []
    pieces = container.attach(stdout=True, stderr=True, stream=True, demux=True)

    def end() -> None:
        late.append(f"it ran longer than {limits.seconds:g} s")
        container.kill()

    clock = Timer(limits.seconds, end)
    container.start()
    clock.start()
    try:
        for out, err in pieces:
            said += len(out or b"") + len(err or b"")
            stdout.append(out or b"")
            stderr = (stderr + (err or b""))[-TOLD:]
            if said > limits.output:
                late.append(f"it wrote more than {limits.output:,} bytes to stdout and stderr")
                break
        code = int(container.wait(timeout=limits.seconds)["StatusCode"]) if not late else 0
    finally:
        clock.cancel()
    container.reload()
    if container.attrs["State"].get("OOMKilled"):
        late.append(f"it held more than {limits.memory:,} bytes of memory")
    ended = Ended(code, b"".join(stdout), stderr)
    if late:
        raise Failed(f"{name} was ended: {late[0]}; on stderr: {ended.told}")
    return ended


def _remove(client: Any, label: str) -> None:
    for left in client.containers.list(all=True, filters={"label": label}):
        left.remove(force=True, v=True)


def _sweep(client: Any) -> None:
    """Removes what a killed process of this machine has left on the engine."""
    for left in client.containers.list(all=True, filters={"label": f"{LABEL}.owner"}):
        owner = left.labels[f"{LABEL}.owner"]
        if not _lives(owner):
            left.remove(force=True, v=True)


def _owner(pid: int | None = None) -> str:
    """This process, or another, told from a later one of the same number: boot, number, start; "" if there is none."""
    number = os.getpid() if pid is None else pid
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{boot} {number} {fields[19]}"  # starttime, proc(5)


def _lives(owner: str) -> bool:
    words = owner.split()
    return len(words) == 3 and words[1].isdigit() and _owner(int(words[1])) == owner


@contextmanager
def _engine() -> Iterator[Any]:
    """The engine of DOCKER_HOST or the default one; Unsupported if there is none on this machine."""
    where = os.environ.get("DOCKER_HOST") or SOCKET
    if not where.startswith("unix://"):
        raise Unsupported(f"image: DOCKER_HOST={where} is another machine, which cannot see the telemetry of this one")
    try:
        from docker import DockerClient
        from docker.errors import DockerException
    except ImportError:
        raise Unsupported(f"image: docker's SDK for Python is not installed; {INSTALL}") from None
    try:
        with socket.socket(socket.AF_UNIX) as probe:  # says what is wrong, and leaves nothing open as the SDK would
            probe.settimeout(ANSWER_S)
            probe.connect(where.removeprefix("unix://"))
        client = DockerClient(base_url=where, timeout=ANSWER_S, version="auto")
    except (DockerException, OSError) as fault:
        raise Unsupported(f"image: no Docker engine answers at {where} ({_told(fault)}); {INSTALL}") from None
    try:
        yield client
    finally:
        client.close()


def _told(fault: Exception) -> str:
    """What the engine said, without what the SDK puts around it."""
    return " ".join(str(getattr(fault, "explanation", None) or fault).split())[:300]


def create(argument: str) -> Detector:
    """The image of that name; LookupError if the engine has none, Unsupported where there is no engine."""
    if not argument:
        raise LookupError("detector image: found no argument, expected image:NAME, an image on this machine's engine")
    with _engine() as client:
        from docker.errors import DockerException, ImageNotFound

        try:
            found = client.images.get(argument)
        except ImageNotFound:
            missing = f"found no image '{argument}' on the engine"
            raise LookupError(f"detector image: {missing}; docker build -t {argument} . or docker pull it") from None
        except DockerException as fault:
            raise LookupError(f"detector image: '{argument}' is no image: {_told(fault)}") from None
    digest = str(found.id).removeprefix("sha256:")
    return Image(f"image:{argument}", digest[:12], str(found.id))
