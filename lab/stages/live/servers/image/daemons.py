"""Debian's own servers behind ours: a broker, a TURN server, a SOCKS proxy, a mailbox; started if the plan names them.

All but TURN listen on a loopback port of their own and are reached through our accept loop, which ends TLS; TURN has to
see its own addresses and listens there itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.stages.live.servers.image.imap import Post
from lab.stages.live.servers.image.plan import Endpoint, Service
from lab.stages.live.servers.image.probes import imap_greets, mqtt_connects, socks_greets, stun_answers

WORK = Path("/tmp/daemons")  # noqa: S108 - a tmpfs of the container
MAIL = "mail"  # folder of maildirs, one per user
_READY_S = 15.0
_LOOPBACK = "127.0.0.1"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TURN_USER, TURN_PASSWORD, TURN_REALM = "lab", "lab", "lab.example"


@dataclass(frozen=True)
class Daemon:
    """How a daemon is told where to listen (working folder, place -> its command line), and asked whether it does."""

    command: Callable[[Path, Endpoint], list[str]]
    healthy: Callable[[Endpoint], Awaitable[bool]]
    itself: bool = False  # it listens at the plan's place, not behind our accept loop
    relayed: bool = True  # our accept loop passes connections on to it; else who plays the protocol asks it


@dataclass
class _Running:
    daemon: Daemon
    process: asyncio.subprocess.Process
    place: Endpoint
    folder: Path


class Daemons:
    """The daemons of the plan that runs."""

    def __init__(self, work: Path = WORK, kinds: Mapping[str, Daemon] | None = None) -> None:
        self._work = work
        self._kinds = KINDS if kinds is None else kinds
        self._running: dict[tuple[str, Endpoint], _Running] = {}

    async def start(self, services: Mapping[tuple[str, int, str], Service]) -> list[str]:
        """Starts what the services need and waits until it answers; OSError names what does not."""
        for (address, port, _), service in sorted(services.items()):
            daemon = self._kinds.get(service.protocol)
            if daemon is None:
                continue
            place = (address, port) if daemon.itself else (_LOOPBACK, 0)
            if (service.protocol, place) not in self._running:
                await self._begin(service.protocol, daemon, place)
        return sorted({protocol for protocol, _ in self._running})

    def behind(self, protocol: str) -> Endpoint | None:
        """Where connections of a protocol are passed on to; None if we play it ourselves."""
        running = self._running.get((protocol, (_LOOPBACK, 0)))
        return running.place if running and running.daemon.relayed else None

    def post(self) -> Post | None:
        """The dovecot that conversations are played with, if it runs."""
        running = self._running.get(("imap", (_LOOPBACK, 0)))
        return Post(running.place, running.folder / MAIL) if running else None

    def listens(self, service: Service) -> bool:
        """Whether a daemon listens there itself."""
        daemon = self._kinds.get(service.protocol)
        return daemon is not None and daemon.itself

    async def health(self) -> dict[str, bool]:
        """By protocol: whether every daemon of it runs and answers."""
        found: dict[str, bool] = {}
        for (protocol, _), running in self._running.items():
            answers = running.process.returncode is None and await running.daemon.healthy(running.place)
            found[protocol] = found.get(protocol, True) and answers
        return found

    async def close(self) -> None:
        """Ends them and removes what they wrote."""
        for running in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                running.process.terminate()
        for running in self._running.values():
            try:
                async with asyncio.timeout(3):
                    await running.process.wait()
            except TimeoutError:
                running.process.kill()
                await running.process.wait()
        if self._running:
            shutil.rmtree(self._work, ignore_errors=True)
        self._running.clear()

    async def _begin(self, protocol: str, daemon: Daemon, place: Endpoint) -> None:
        folder = self._work / f"{protocol}-{len(self._running)}"
        folder.mkdir(parents=True, exist_ok=True)
        listens = place if place[1] else (_LOOPBACK, _free_port())
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *daemon.command(folder, listens), cwd=folder, stdout=log, stderr=log,
                env={**os.environ, "PATH": _SYSTEM_PATH, "HOME": str(folder)},
            )  # fmt: skip
        self._running[protocol, place] = _Running(daemon, process, listens, folder)
        deadline = asyncio.get_running_loop().time() + _READY_S
        while not await daemon.healthy(listens):
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                said = (folder / "log").read_text(errors="replace").strip()[-500:]
                raise OSError(f"{protocol}: the daemon does not answer (exit {process.returncode}): {said}")
            await asyncio.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _mosquitto(folder: Path, place: Endpoint) -> list[str]:
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {place[1]} {place[0]}\nallow_anonymous true\npersistence false\nlog_dest stderr\n")
    return ["mosquitto", "-c", str(settings)]


def _microsocks(_: Path, place: Endpoint) -> list[str]:
    return ["microsocks", "-i", place[0], "-p", str(place[1])]


def _coturn(folder: Path, place: Endpoint) -> list[str]:
    """RFC 8656 with long-term credentials; relayed addresses are the server's own."""
    return [
        "turnserver", "-n", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech", "--fingerprint", "--log-file=stdout",
        f"--user={TURN_USER}:{TURN_PASSWORD}", f"--realm={TURN_REALM}", f"--listening-ip={place[0]}",
        f"--relay-ip={place[0]}", f"--listening-port={place[1]}", "--min-port=49152", "--max-port=49999",
        f"--pidfile={folder}/pid", f"--userdb={folder}/turn.db",
    ]  # fmt: skip


def _dovecot(folder: Path, place: Endpoint) -> list[str]:
    """Without root: one user runs every process; any password opens the mailbox of any name, kept in the folder."""
    import pwd

    user = pwd.getpwuid(os.getuid()).pw_name
    settings = folder / "dovecot.conf"
    settings.write_text(DOVECOT.format(folder=folder, user=user, address=place[0], port=place[1]))
    return ["dovecot", "-F", "-c", str(settings)]


DOVECOT = """dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = {address}
default_internal_user = {user}
default_internal_group = {user}
default_login_user = {user}
ssl = no
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
mail_uid = {user}
mail_gid = {user}
first_valid_uid = 1
namespace inbox {{
  inbox = yes
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
}}
service anvil {{
  chroot =
}}
service imap {{
  process_limit = 400
}}
service imap-login {{
  chroot =
  client_limit = 1000
  restart_request_count = unlimited
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {user}
    home = {folder}/home
  }}
}}
"""
KINDS: Mapping[str, Daemon] = {
    "mqtt": Daemon(_mosquitto, mqtt_connects),
    "socks-peer": Daemon(_microsocks, socks_greets),
    "imap": Daemon(_dovecot, imap_greets, relayed=False),
    "mailbox": Daemon(_dovecot, imap_greets),
    "turn": Daemon(_coturn, stun_answers, itself=True),
}
