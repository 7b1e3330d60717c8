"""A container as a detector: ``image:NAME``, without network, shown the telemetry in /telemetry, findings on stdout.

The image's own command runs once for each telemetry; /telemetry is read-only and holds ``<table>.parquet``,
``telemetry.json`` and, where the view shows it, ``capture.pcap`` (detector/fenced/handed.py). Exit code 0: the lines on
stdout are all findings; 127: this telemetry is none for it (unsupported); anything else has failed. What raises it
wrongly is its author's to say. The version is the digest of the image. It takes docker's command and an engine on this
machine; an image that is not there is not fetched.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from detector.contract import Detector, Finding, Telemetry, Unsupported
from detector.fenced import Ended, Failed, Limits, hand_over, taken
from detector.fenced.outcome import PROCESSES
from detector.foreign.heard import heard
from detector.signature import Signature

ARGUMENT = "NAME"
LABEL = "droidrange.detector"
PLACE = "/telemetry"
UNSUPPORTED = 127
LIMITS = Limits()
INSTALL = "apt-get install docker.io, then systemctl start docker"
ANSWER_S = 120.0  # for one answer of the engine: a session takes a while, and so do slow disks
CLOSED = (
    *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--ipc=private"),
    *("--tmpfs=/tmp:size=64m,mode=1777", "--init", "--env=TZ=UTC", "--env=LANG=C.UTF-8"),
    *("--pull=never", "--log-driver=none", "--ulimit=core=0", "--ulimit=nofile=1024"),
)


@dataclass
class Image:
    """An image that is on the engine, by the id it had when it was asked for."""

    name: str
    version: str
    image: str
    needs: tuple[str, ...] = ()
    limits: Limits = LIMITS

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
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        for finding in taken(ended.stdout.splitlines()):
            yield who.under(finding)

    def _run(self, given: Path) -> Ended:
        _sweep()
        with _container(self.image, given, self.limits) as container:
            ended = heard(["docker", "start", "--attach", container], self.limits, self.name)
            state = _docker("inspect", "--format={{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Status}}", container)
        code, starved, status = state.split()
        if starved == "true":
            raise Failed(f"{self.name} was ended: it held more than {self.limits.memory:,} bytes of memory")
        if status != "exited":  # the engine was lost, or the image has no such command
            raise Failed(f"{self.name} could not be run: {ended.told}")
        return replace(ended, code=int(code))


@contextmanager
def _container(image: str, given: Path, limits: Limits) -> Iterator[str]:
    """A container that is made but not started; whatever has its label is gone afterwards."""
    own = secrets.token_hex(8)
    bounds = (
        f"--memory={limits.memory}",
        f"--memory-swap={limits.memory}",
        f"--pids-limit={limits.processes or PROCESSES}",
        "--cpu-period=100000",
        "--cpu-quota=200000",  # two processors; unlike --cpus, no engine refuses it for having fewer
        f"--ulimit=cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}",
    )
    labels = (f"--label={LABEL}={own}", f"--label={LABEL}.owner={_owner()}")
    try:
        yield _docker("create", *CLOSED, *bounds, *labels, f"--volume={given}:{PLACE}:ro", image)
    finally:
        _remove(_docker("ps", "--all", "--quiet", f"--filter=label={LABEL}={own}").split())


def _sweep() -> None:
    """Removes what a killed process of this machine has left on the engine."""
    shown = f'--format={{{{.ID}}}} {{{{.Label "{LABEL}.owner"}}}}'
    lines = _docker("ps", "--all", f"--filter=label={LABEL}.owner", shown).splitlines()
    _remove([line.split()[0] for line in lines if not _lives(line.partition(" ")[2])])


def _remove(containers: list[str]) -> None:
    if containers:
        _docker("rm", "--force", "--volumes", *containers)


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


def _docker(*words: str) -> str:
    """What docker answers, without line ends around it; Failed with its own words where it refuses."""
    try:
        done = subprocess.run(  # noqa: S603 - words of ours, and the image's name behind them
            ["docker", *words],  # noqa: S607 - wherever it is installed
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=True,
        )
    except subprocess.CalledProcessError as fault:
        raise Failed(f"docker {words[0]}: {' '.join(fault.stderr.decode(errors='replace').split())[:300]}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"docker {words[0]}: no answer within {ANSWER_S:g} s; restart the engine") from None
    return done.stdout.decode(errors="replace").strip()


def create(argument: str) -> Detector:
    """The image of that name; LookupError if the engine has none, Unsupported where there is no engine."""
    if not argument or argument.startswith("-"):
        found = f"the argument '{argument}'" if argument else "no argument"
        raise LookupError(f"detector image: found {found}, expected image:NAME, an image on this machine's engine")
    where = os.environ.get("DOCKER_HOST", "unix://")
    if not where.startswith("unix://"):
        raise Unsupported(f"image: DOCKER_HOST={where} is another machine, which cannot see the telemetry of this one")
    if shutil.which("docker") is None:
        raise Unsupported(f"image: there is no command docker; {INSTALL}")
    try:
        _docker("version", "--format={{.Server.Version}}")
    except Failed as fault:
        raise Unsupported(f"image: no Docker engine answers ({fault}); {INSTALL}") from None
    try:
        digest = _docker("image", "inspect", "--format={{.Id}}", argument)
    except Failed as fault:
        hint = f"docker build -t {argument} . or docker pull {argument}"
        raise LookupError(f"detector image: found no image '{argument}' on the engine ({fault}); {hint}") from None
    return Image(f"image:{argument}", digest.removeprefix("sha256:")[:12], digest)
