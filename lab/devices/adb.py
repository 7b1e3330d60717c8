"""The adb server of a lab: private port, private keys, no discovery; it dies when its owner dies."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from lab.devices.errors import DeviceError
from lab.devices.phone import Phone
from lab.devices.smart_socket import SERVER, Address, query
from lab.errors import PrerequisiteError

__all__ = ["AdbServer", "Phone", "adb_program"]

USERS_SERVER: Address = ("127.0.0.1", 5037)  # the one that owns the user's phone; only touched when told
# The shell holds our end of a pipe: it reads the end of file when we stop, crash or are killed, and ends adb then.
# (PDEATHSIG would fire when the starting THREAD ends, and asyncio starts helpers in threads.)
_UNTIL_PIPE_CLOSES = '"$@" </dev/null & adb=$!; read -r _; kill "$adb" 2>/dev/null; wait "$adb"'
_START_S = 10.0
_ATTEMPTS = 3


def adb_program() -> Path:
    """The adb that adbutils brings, or the one in PATH. Raises ``PrerequisiteError`` when there is none.

    adbutils itself isn't imported: its client starts a daemon on the user's port whenever a server does not answer.
    """
    found = importlib.util.find_spec("adbutils")
    for place in (found.submodule_search_locations or []) if found else []:
        bundled = Path(place, "binaries", "adb")
        if os.access(bundled, os.X_OK):
            return bundled
    program = shutil.which("adb")
    if program is None:
        raise PrerequisiteError("no adb program here; pip install 'droidrange[live]' brings one")
    return Path(program)


class AdbServer:
    """An adb server to talk to: our own child (``start``) or one that is already there (``attach``)."""

    def __init__(self, address: Address, child: subprocess.Popen[bytes] | None = None) -> None:
        self.address = address
        self._child = child

    @classmethod
    def start(cls, folder: Path, *, usb: bool = False) -> AdbServer:
        """A server of our own on a free port of 127.0.0.1; ``folder`` (0700) gets its key and its log.

        With ``usb`` it also claims phones on USB, which only one server may do: stop the user's one first.
        Raises ``PrerequisiteError`` without adb, ``DeviceError`` when the server does not come up.
        """
        program = adb_program()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            server = cls._attempt(program, folder, usb=usb)
            if server is not None:
                return server
        said = (folder / "adb.log").read_text(errors="replace")[-500:].strip()
        raise DeviceError(SERVER, f"{program} nodaemon server", f"not up after {_ATTEMPTS} attempts: {said}", "doctor")

    @classmethod
    def _attempt(cls, program: Path, folder: Path, *, usb: bool) -> AdbServer | None:
        port = _free_port()
        words = ["/bin/sh", "-c", _UNTIL_PIPE_CLOSES, "sh", str(program), "-P", str(port), "nodaemon", "server"]
        with (folder / "adb.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 # our own words, no shell text from outside
                words,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(folder, usb=usb),
                start_new_session=True,
            )
        server = cls(("127.0.0.1", port), child)
        until = time.monotonic() + _START_S
        while child.poll() is None and time.monotonic() < until:
            if server.answers():
                return server
            time.sleep(0.02)
        server.stop()
        return None

    @classmethod
    def attach(cls, address: Address = USERS_SERVER) -> AdbServer:
        """A server that somebody else runs, such as the user's own with his phone on USB; ``stop`` leaves it alone."""
        server = cls(address)
        server.version()
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def version(self) -> int:
        """The protocol's number (41 since 2019). Raises ``DeviceError`` when nobody answers."""
        return int(query(self.address, "host:version", 2.0), 16)

    def answers(self) -> bool:
        """Whether an adb server is there."""
        try:
            return self.version() > 0
        except (DeviceError, ValueError):
            return False

    def connect(self, address: str, timeout_s: float = 10.0) -> str:
        """Connect to a device's adbd at ``HOST:PORT`` and return its serial; connecting twice is fine.

        adb answers failures with OKAY and a sentence: only "connected to" and "already connected to" count.
        """
        said = query(self.address, f"host:connect:{address}", timeout_s)
        if not said.startswith(("connected to ", "already connected to ")):
            raise DeviceError(address, "adb connect", said.strip(), "is the device up, does its adbd listen there?")
        return said.split()[-1]

    def disconnect(self, address: str) -> None:
        """Forget a device; one that is not connected is fine."""
        try:
            query(self.address, f"host:disconnect:{address}")
        except DeviceError as fault:
            if "no such device" not in fault.found:
                raise

    def devices(self) -> dict[str, str]:
        """Serial -> state (device, offline, unauthorized...) of every device the server knows."""
        lines = query(self.address, "host:devices").splitlines()
        return {serial: state for serial, _, state in (line.partition("\t") for line in lines) if state}

    def stop(self, timeout_s: float = 5.0) -> None:
        """End our own server and wait until it is gone; one that we only attached to stays."""
        if self._child is None:
            return
        assert self._child.stdin is not None, "started with a pipe"
        self._child.stdin.close()
        try:
            self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, 9)
            self._child.wait()
        self._child = None


def _environment(folder: Path, *, usb: bool) -> dict[str, str]:
    """What adb gets to know: a home of its own, no multicast, no search for local emulators; for USB the user's key."""
    chosen = {
        "HOME": str(folder),
        "PATH": os.defpath,
        "ADB_MDNS": "0",
        "ADB_MDNS_AUTO_CONNECT": "0",
        "ADB_EMU": "0",
        "ADB_USB": "1" if usb else "0",
    }
    key = Path.home() / ".android" / "adbkey"
    if usb and key.is_file():
        chosen["ADB_VENDOR_KEYS"] = str(key)  # phones that trust the user's adb trust ours; the key is only read
    return chosen


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
