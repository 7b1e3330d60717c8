"""One blocking conversation with an adb server: its request form, its answers, its faults.

A request is four hexadecimal digits of length and the text; the answer OKAY, or FAIL and a text in the same form
(AOSP, packages/modules/adb, docs/dev/services.md).
"""

from __future__ import annotations

import socket
import time
from typing import Self

from lab.devices.errors import DeviceError

Address = tuple[str, int]
SERVER = "adb server"
RESTART = "start the lab again: its adb server is gone"
RECONNECT = "adb connect SERIAL, then adb devices"


def request(text: str) -> bytes:
    """A request as the server reads it. Raises ``ValueError`` when it is longer than four digits can say."""
    raw = text.encode()
    if len(raw) > 0xFFFF:
        raise ValueError(f"an adb request has at most 65535 bytes, found {len(raw)}")
    return b"%04x" % len(raw) + raw


def size_of(digits: bytes) -> int:
    """The length that four hexadecimal digits say. Raises ``ValueError`` for anything else."""
    if len(digits) != 4 or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
        raise ValueError(f"expected four hexadecimal digits, found {digits!r}")
    return int(digits, 16)


class SmartSocket:
    """A socket to the adb server with one deadline for everything said on it."""

    def __init__(self, server: Address, serial: str, timeout_s: float) -> None:
        self.serial, self.doing = serial, f"tcp:{server[0]}:{server[1]}"
        self._until = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        try:
            self._socket = socket.create_connection(server, timeout_s)
        except OSError as fault:
            raise DeviceError(SERVER, self.doing, f"no adb server answers ({fault})", RESTART) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, service: str) -> None:
        """Send a request and take its OKAY. Raises ``DeviceError`` with the server's own words on FAIL."""
        self.doing = service
        self.send(request(service))
        status = self.read(4)
        if status == b"FAIL":
            raise self.fault(self.block(), RECONNECT)
        if status != b"OKAY":
            raise self.fault(f"answer {status!r}, neither OKAY nor FAIL", RESTART)

    def transport(self, service: str) -> None:
        """Switch to the device, then open one of its services."""
        self.ask(f"host:transport:{self.serial}")
        self.ask(service)

    def block(self) -> str:
        """A text behind four digits of its length."""
        try:
            return self.read(size_of(self.read(4))).decode(errors="replace")
        except ValueError as fault:
            raise self.fault(str(fault), RESTART) from None

    def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises ``DeviceError`` when the stream ends before or the time is over."""
        parts: list[bytes] = []
        while size:
            part = self.some(size)
            if not part:
                raise self.fault("the connection closed in the middle of an answer", RECONNECT)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def some(self, most: int = 1 << 16) -> bytes:
        """Up to ``most`` bytes as soon as there are any; empty at the end of the stream."""
        try:
            self._socket.settimeout(max(1e-3, self._until - time.monotonic()))
            return self._socket.recv(most)
        except TimeoutError:
            raise self.fault(f"no answer within {self._timeout_s:g} s", "adb shell true, then a longer wait") from None
        except OSError as fault:
            raise self.fault(f"connection lost ({fault})", RECONNECT) from None

    def send(self, data: bytes) -> None:
        """All of ``data``."""
        try:
            self._socket.settimeout(max(1e-3, self._until - time.monotonic()))
            self._socket.sendall(data)
        except TimeoutError:
            raise self.fault(f"nothing taken within {self._timeout_s:g} s", RECONNECT) from None
        except OSError as fault:
            raise self.fault(f"connection lost ({fault})", RECONNECT) from None

    def fault(self, found: str, remedy: str) -> DeviceError:
        """What happened here, as an error to raise."""
        return DeviceError(self.serial, self.doing, found, remedy)


def query(server: Address, service: str, timeout_s: float = 10.0) -> str:
    """The answer of one of the server's own services (``host:...``) that answers with a text."""
    with SmartSocket(server, SERVER, timeout_s) as link:
        link.ask(service)
        return link.block()
