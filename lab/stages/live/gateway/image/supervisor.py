"""The gateway's main process: sets up its rules, keeps mitmproxy and the capture together, answers the host.

If either dies, or the rules cannot be set, the capture is incomplete: the reason is written at once beside it
(/rec/<name>.fault), the other is ended in order, and the container exits with 1. SIGTERM ends both in order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.stages.live.control_server import PORT, serve
from lab.stages.live.gateway.image import rules
from lab.stages.live.gateway.image.children import Capture, Proxy, capture_words, without_privileges

PROXY_UID, CAPTURE_UID = 900, 901
DEFAULT_RESOLVER = "100.64.77.2:53"  # the servers; a plan may name another
AUTHORITY = "gateway-ca.pem"  # in /pki: key and certificate
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_READY_S, _END_S = 90.0, 5.0  # it takes 3 s, and ten times as long where many labs come up at once
_QUIET_S = 0.2  # what has been said is on its way to the capture for less


@dataclass(frozen=True)
class Settings:
    """Folders, commands, and who may ask; the tests have their own commands."""

    rec: Path
    plan: Path
    private: Path  # a folder that mitmproxy may read
    proxy: Sequence[str]
    capture: Sequence[str]
    nft: Sequence[str] = ("nft", "-f", "-")
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass
class Gateway:
    """The running gateway; ``ended`` gets the exit code."""

    settings: Settings
    faults: list[str] = field(default_factory=list)
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _proxy: Proxy | None = None
    _capture: Capture | None = None
    _watches: set[asyncio.Task[None]] = field(default_factory=set)
    _verb: asyncio.Lock = field(default_factory=asyncio.Lock)  # captures begin and end one after the other

    async def start(self) -> None:
        """Rules, then mitmproxy; RuntimeError if either cannot be had."""
        self._nft(rules.ruleset())
        self._proxy = await Proxy.start(self.settings.proxy, self.settings.environment, ready_s=_READY_S)
        self._watch(self._proxy.process, "mitmproxy")

    async def plan(self, request: dict[str, Any]) -> dict[str, Any]:
        """What to intercept, who answers names, whose certificates the servers have; see ``rules.Plan``."""
        plan = rules.Plan.read(request)
        authority = read_owned(self.settings.plan, Path(plan.folder, "pki/origin-ca.pem"))
        known = None
        if authority is not None:
            known = self.settings.private / f"origin-ca-{time.monotonic_ns()}.pem"  # mitmproxy keeps them by path
            known.write_bytes(authority)
            known.chmod(0o644)
        async with self._verb:
            self._nft(rules.changes(plan))
            told: dict[str, Any] = {"origin_ca": str(known) if known else None, "resolver": plan.resolver}
            await self._order("plan", **told)
        return {"intercepted": len(plan.redirect), "exempted": len(plan.exempt), "origin_ca": known is not None}

    async def capture(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begins /rec/<name>.pcap and /rec/<name>.jsonl, which must not be there yet."""
        name = request.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"name {name!r} is not {_NAME.pattern}")
        async with self._verb:
            if self._capture is not None:
                raise ValueError(f"capture {self._capture.name} is running")
            with self._created(f"{name}.pcap") as packets, self._created(f"{name}.jsonl") as events:
                self._capture = await Capture.start(name, self.settings.capture, packets, ready_s=_END_S)
                self._watch(self._capture.process, "the capture")
                await self._order("record", file=events)
        return {"time_us": time.time_ns() // 1000}

    async def stop(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Ends the capture: what it counted, and the faults so far."""
        async with self._verb:
            if self._capture is None:
                raise ValueError("no capture is running")
            await asyncio.sleep(_QUIET_S)
            told = await self._order("stop")
            counts = await self._finish()
        packets, dropped = counts.get("captured"), counts.get("dropped by kernel")
        seen = counts.get("received by filter")
        return {"packets": packets, "seen": seen, "dropped": dropped, "lines": told["lines"], "faults": self.faults}

    async def status(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Whether both run."""
        proxy = self._proxy is not None and self._proxy.process.returncode is None
        name = self._capture.name if self._capture else None
        return {"proxy": proxy, "capture": name is not None, "name": name, "faults": self.faults}

    async def finish(self, code: int) -> None:
        """Ends both in order, once; a capture that is cut off so is incomplete."""
        if self.ended.done():
            return
        if self._capture is not None:
            if code == 0:
                self._note("ended while capturing")
            with suppress(RuntimeError):
                await self._order("stop")
            await self._finish()
        if self._proxy is not None:
            ending, self._proxy = self._proxy, None
            await ending.finish(signal.SIGTERM, _END_S)
        if not self.ended.done():
            self.ended.set_result(code)

    async def _finish(self) -> dict[str, int]:
        if self._capture is None:
            raise RuntimeError("the capture has ended by itself")
        ending, self._capture = self._capture, None
        return await ending.finish(_END_S)

    async def _order(self, do: str, *, file: int | None = None, **fields: Any) -> dict[str, Any]:
        if self._proxy is None:
            raise RuntimeError("mitmproxy does not run")
        return await self._proxy.order(do, file=file, **fields)

    def _watch(self, process: asyncio.subprocess.Process, what: str) -> None:
        async def watch() -> None:
            code = await process.wait()
            current = {child.process for child in (self._proxy, self._capture) if child is not None}
            if process in current:
                self._note(f"{what} ended by itself with {code}")
                await self.finish(1)

        task = asyncio.create_task(watch())
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    def _note(self, reason: str) -> None:
        """Writes a fault down before anything else is done about it."""
        self.faults.append(reason)
        name = self._capture.name if self._capture else "gateway"
        print(f"fault: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - the container's log
        line = json.dumps({"reason": reason, "time_us": time.time_ns() // 1000})
        path = self.settings.rec / f"{name}.fault"
        # a full disk may be the very fault; the exit code tells it, too
        with suppress(OSError), self._owning(), path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _created(self, name: str) -> Iterator[int]:
        with self._owning():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            file = os.open(self.settings.rec / name, flags, 0o644)
        try:
            yield file
        except RuntimeError:
            if os.fstat(file).st_size == 0:  # it never began: its name is free again
                with self._owning():
                    (self.settings.rec / name).unlink()
            raise
        finally:
            os.close(file)

    @contextmanager
    def _owning(self) -> Iterator[None]:
        """As the one whose folder /rec is: what is written is theirs, and no capability to override is needed."""
        owner = self.settings.rec.stat()
        with acting_as(owner.st_uid, owner.st_gid):
            yield

    def _nft(self, script: str) -> None:
        done = subprocess.run(self.settings.nft, input=script, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(f"nft: {done.stderr.strip()}")


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """With these effective ids, if this is root; the process has one thread that cares."""
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def read_owned(folder: Path, name: str | Path) -> bytes | None:
    """A file in somebody's folder, read as its owner; None if it is not there."""
    owner = folder.stat()
    with acting_as(owner.st_uid, owner.st_gid):
        path = folder / name
        return path.read_bytes() if path.exists() else None


def proxy_words(confdir: Path, addon: Path) -> list[str]:
    """mitmdump: nothing added to what passes, nothing kept, nobody asked."""
    words = ["/opt/mitmproxy/bin/mitmdump", "-s", str(addon)]
    modes = [f"transparent@{port}" for port in rules.PROXY_PORTS]
    modes += [f"reverse:{kind}://{DEFAULT_RESOLVER}@{rules.DNS_PORT}" for kind in ("udp", "tcp")]
    words += [word for mode in modes for word in ("--mode", mode)]
    options = {
        "confdir": str(confdir),
        "connection_strategy": "eager",  # a server that speaks first is heard
        "onboarding": "false",
        "block_global": "false",
        "validate_inbound_headers": "false",
        "http3": "false",
        "http2_ping_keepalive": "0",
        "tcp_timeout": "604800",
        "flow_detail": "0",
        "termlog_verbosity": "warn",
    }
    return words + [word for name, value in options.items() for word in ("--set", f"{name}={value}")]


def prepare(private: Path, confdir: Path, pki: Path) -> None:
    """Folders of their own for mitmproxy, its authority put where it looks for it; LookupError if there is none."""
    authority = read_owned(pki, AUTHORITY)
    if authority is None:
        raise LookupError(f"{pki / AUTHORITY} is not there")
    private.mkdir(mode=0o755, exist_ok=True)
    confdir.parent.mkdir(exist_ok=True)
    confdir.parent.chmod(0o1777)  # giving it away would need another capability
    with acting_as(PROXY_UID, PROXY_UID):
        confdir.mkdir(mode=0o700, exist_ok=True)
        file = os.open(confdir / "mitmproxy-ca.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, authority)
        os.close(file)


async def run(address: str, host: str) -> int:
    """The container's life; the exit code. The control port opens when mitmproxy has answered."""
    private, confdir = Path("/run/gateway"), Path("/run/mitmproxy/conf")
    prepare(private, confdir, Path("/pki"))
    proxy = [*without_privileges(PROXY_UID), *proxy_words(confdir, Path(__file__).with_name("addon.py"))]
    capture = [*without_privileges(CAPTURE_UID, ["net_raw"]), *capture_words("lab0")]
    gateway = Gateway(Settings(Path("/rec"), Path("/plan"), private, proxy, capture))
    loop = asyncio.get_running_loop()
    finishing: set[asyncio.Task[None]] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: finishing.add(loop.create_task(gateway.finish(0))))
    await gateway.start()
    verbs = {"plan": gateway.plan, "capture": gateway.capture, "stop": gateway.stop, "status": gateway.status}
    server = await serve(address, PORT, verbs, only=host)
    try:
        return await gateway.ended
    finally:
        server.close()


def main() -> int:
    """The command line: own and host's address on the underlay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--host", required=True)
    told = parser.parse_args()
    try:
        return asyncio.run(run(told.address, told.host))
    except (RuntimeError, LookupError, OSError) as fault:
        print(f"gateway: {fault}", file=sys.stderr, flush=True)  # noqa: T201 - the container's log
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
