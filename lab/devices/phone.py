"""One Android device behind an adb server: shell, boot, inventory, state, certificates, files. Its calls block."""

from __future__ import annotations

import time

from lab.devices import files, shell_v2
from lab.devices.capabilities import Capabilities, parse_capabilities, probe_command
from lab.devices.certificates import install_plan
from lab.devices.dumpsys import parse_packages
from lab.devices.errors import DeviceError
from lab.devices.reading import READ_COMMAND, Reading, parse_reading
from lab.devices.smart_socket import Address, SmartSocket
from lab.devices.states import PhoneState, state_commands

_POLL_S = 0.2


class Phone:
    """A handset container, an emulator or a real phone: the same commands for all."""

    def __init__(self, server: Address, serial: str) -> None:
        self.server, self.serial = server, serial
        self._told: PhoneState | None = None  # what set_state last brought about
        self._caps: Capabilities | None = None

    def run(self, words: str, timeout_s: float = 10.0) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of a shell command. Raises ``DeviceError`` when the device does not finish it."""
        said = {shell_v2.STDOUT: bytearray(), shell_v2.STDERR: bytearray()}
        frames = shell_v2.FrameReader()
        with SmartSocket(self.server, self.serial, timeout_s) as link:
            link.transport(shell_v2.SERVICE + words)
            link.send(shell_v2.frame(shell_v2.STDIN_ENDS))
            while data := link.some():
                try:
                    for kind, payload in frames.feed(data):
                        if kind == shell_v2.EXIT and payload:
                            return payload[0], _text(said[shell_v2.STDOUT]), _text(said[shell_v2.STDERR])
                        if kind in said:
                            said[kind] += payload
                except ValueError as fault:
                    raise link.fault(str(fault), "is this device older than Android 7?") from None
        raise DeviceError(
            self.serial, words, "the connection closed before an exit code", "adb devices: is it offline?"
        )

    def shell(self, words: str, timeout_s: float = 10.0) -> str:
        """Stdout of a shell command that must succeed. Raises ``DeviceError`` with its exit code and stderr."""
        code, out, err = self.run(words, timeout_s)
        if code:
            said = (err.strip() or out.strip())[-300:]
            raise DeviceError(self.serial, words, f"exit code {code}: {said}", f"adb -s {self.serial} shell")
        return out

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Until ``sys.boot_completed`` is 1. Raises ``DeviceError`` with the last thing found."""
        until = time.monotonic() + timeout_s
        found = "nothing yet"
        while time.monotonic() < until:
            try:
                value = self.run("getprop sys.boot_completed", 5.0)[1].strip()
                if value == "1":
                    return
                found = f"sys.boot_completed is {value!r}"
            except DeviceError as fault:
                found = fault.found
            time.sleep(_POLL_S)
        raise DeviceError(self.serial, "getprop sys.boot_completed", f"{found} after {timeout_s:g} s", "its boot log")

    def inventory(self) -> list[tuple[str, int]]:
        """(package, uid) of every installed package, of every user; several packages may share a uid."""
        code, out, _ = self.run("pm list packages -U --user all", 30.0)
        found = parse_packages(out) if code == 0 else ()
        return list(found or parse_packages(self.shell("pm list packages -U", 30.0)))

    def set_state(
        self, *, screen_on: bool, locked: bool, foreground: str | None, power: str, interaction: bool
    ) -> None:
        """Bring the phone into a state (power: one of ``lab.timeline.POWER_STATES``), by what differs from the last.

        Raises ``DeviceError`` when a command fails, ``ValueError`` for an unknown power state.
        """
        wanted = PhoneState(screen_on, locked, foreground, power)
        commands = state_commands(self._told, wanted, interaction=interaction)
        self._told = None
        if commands:
            said = self.shell(" && ".join(commands), 10.0 + 5.0 * len(commands))
            if "\nError" in f"\n{said}":  # am says so and exits with 0 before Android 11
                raise DeviceError(self.serial, " && ".join(commands), said.strip()[-300:], "pm list packages")
        self._told = wanted

    def read_state(self) -> Reading:
        """The phone's state in one round trip, with the offset of its clock from ours."""
        asked_us = time.time_ns() // 1000
        out = self.run(READ_COMMAND, 30.0)[1]
        return parse_reading(out, asked_us=asked_us, answered_us=time.time_ns() // 1000)

    def clock_offset(self, tries: int = 5) -> tuple[int, int] | None:
        """(device clock minus ours, doubt) in microseconds, of the quickest ask; ``None`` without a date."""
        asks = []
        for _ in range(tries):
            asked = time.time_ns() // 1000
            out = self.run("date '+%s.%N'")[1]
            answered = time.time_ns() // 1000
            seconds, _, fraction = out.strip().partition(".")
            if seconds.isdecimal() and fraction.isdecimal():
                device = int(seconds) * 1_000_000 + int(fraction[:9].ljust(9, "0")) // 1000
                asks.append(((answered - asked) // 2, device - (asked + answered) // 2))
        return (min(asks)[1], min(asks)[0]) if asks else None

    def capabilities(self, *, sidecar: bool = False) -> Capabilities:
        """What this device can do for the lab; ``sidecar``: an NFLOG reader stands in its network namespace."""
        offset = self.clock_offset()
        out = self.run(probe_command(), 30.0)[1]
        self._caps = parse_capabilities(self.serial, out, clock_offset_us=offset and offset[0], sidecar=sidecar)
        return self._caps

    def install_ca(self, pem: bytes) -> str:
        """Make the phone trust a CA system-wide; returns how and what stays untouched (see ``certificates``).

        Raises ``DeviceError`` where the device has no root or a step fails.
        """
        caps = self._caps or self.capabilities()
        plan = install_plan(
            pem, serial=self.serial, sdk=caps.sdk, root_prefix=caps.root_prefix, writable=caps.system_writable
        )
        files.push(self.server, self.serial, plan.content, plan.pushed_to)
        for command in plan.commands:
            self.shell(command, 60.0)
        return plan.explanation

    def push(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        """Write a file on the device."""
        files.push(self.server, self.serial, data, path, mode=mode)

    def pull(self, path: str) -> bytes:
        """Read a file of the device."""
        return files.pull(self.server, self.serial, path)


def _text(raw: bytearray) -> str:
    return raw.decode(errors="replace")
