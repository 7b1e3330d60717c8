"""The events of the gateway as JSON lines, version 1: one file per capture, each line written whole at once.

What mitmproxy gives is read by attribute, so that this file needs none of it. Addresses are [address, port], times are
microseconds since the epoch, sizes are bytes with heads as they cross the wire (before TLS).
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

VERSION = 1


def give_up(fault: OSError) -> None:
    """Ends mitmproxy: with an event lost the capture is incomplete, and its supervisor will say so."""
    print(f"an event could not be written: {fault}", file=sys.stderr, flush=True)  # noqa: T201 - the container's log
    os._exit(os.EX_IOERR)


@dataclass
class Sink:
    """The file of the running capture; what happens while there is none is nobody's."""

    _file: int | None = None
    lines: int = 0
    failed: Callable[[OSError], None] = give_up

    def open(self, file: int) -> None:
        """Takes over an open file; the one before is closed."""
        self.close()
        self._file, self.lines = file, 0

    def close(self) -> int:
        """Closes the file: how many lines it got."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        return self.lines

    def write(self, event: str, **fields: Any) -> None:
        """One line, in the kernel's hands when this returns: the death of mitmproxy loses none."""
        if self._file is None:
            return
        row = {"v": VERSION, "event": event, **fields}
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as fault:
            self.failed(fault)
            return
        self.lines += 1


@dataclass
class Relayed:
    """What passed in a flow that mitmproxy only relays."""

    began_us: int
    up: int = 0
    down: int = 0

    def count(self, size: int, *, from_client: bool) -> None:
        """Counts one piece."""
        self.up += size if from_client else 0
        self.down += 0 if from_client else size


@dataclass
class Dns:
    """The DNS messages of one client socket: each question waits for the answer of its id (RFC 1035, 4.1.1)."""

    tcp: bool
    waiting: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # id -> when, question
    _streams: dict[bool, bytes] = field(default_factory=lambda: {True: b"", False: b""})

    def messages(self, data: bytes, *, from_client: bool) -> list[bytes]:
        """The messages that ``data`` completes: itself over UDP; over TCP each has its length before it (4.2.2)."""
        if not self.tcp:
            return [data]
        found, stream = [], self._streams[from_client] + data
        while len(stream) >= 2 and len(stream) >= 2 + struct.unpack_from("!H", stream)[0]:
            size = 2 + struct.unpack_from("!H", stream)[0]
            found.append(stream[2:size])
            stream = stream[size:]
        self._streams[from_client] = stream
        return found

    def wire_size(self, message: bytes) -> int:
        """Bytes of a message on the wire, below IP's next header: with its length over TCP."""
        return len(message) + (2 if self.tcp else 0)


def now_us() -> int:
    """Wall clock, microseconds since the epoch."""
    return time.time_ns() // 1000


def us(seconds: float | None) -> int | None:
    """Mitmproxy's times in microseconds."""
    return None if seconds is None else round(seconds * 1e6)


def connection(client: Any, server: Any) -> dict[str, Any]:
    """Who talks to whom: the phone, where it wanted to, from where and to whom it was passed on, and its TLS."""
    alpn = getattr(client, "alpn", None)
    return {
        "client": place(client.peername),
        "server": place(server.address),
        "upstream": place(server.sockname),
        "upstream_peer": place(server.peername),
        "sni": getattr(client, "sni", None),
        "tls": getattr(client, "tls_version", None),
        "alpn": alpn.decode("ascii", "replace") if alpn else None,
    }


def place(address: Any) -> list[Any] | None:
    """[address, port] of what a socket calls itself."""
    return [address[0], address[1]] if address else None


def chunk_size(size: int) -> int:
    """Bytes of a chunk of so many (RFC 9112, 7.1), as mitmproxy frames it."""
    return size + len(f"{size:x}") + 4 if size else 0


LAST_CHUNK = 5  # 0 CRLF CRLF


def frame_size(size: int, *, masked: bool) -> int:
    """Bytes of a WebSocket frame with so many of payload (RFC 6455, 5.2)."""
    extended = 0 if size < 126 else 2 if size < 1 << 16 else 8
    return 2 + extended + (4 if masked else 0) + size
