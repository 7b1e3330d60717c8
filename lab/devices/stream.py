"""Byte streams of a program on a device, as asyncio sees them: stdout is the reader, stdin the writer.

Why the shell protocol and not ``exec:`` (measured on adbd 34): an ``exec:`` stream has no half-close. Ending our side
closes all of it, what the peer still says is lost, and the program sees the end of its stdin one second later. With
frames, ``write_eof`` reaches the program at once (nc then sends its FIN within a millisecond), the peer's answer still
arrives, the peer's FIN ends the reader, and stderr and the exit code stay apart from the bytes.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any

from lab.devices import shell_v2
from lab.devices.errors import DeviceError
from lab.devices.netcat import DATAGRAM_GAP_S, DATAGRAM_MOST, connect_command, kill_command, listen_command
from lab.devices.smart_socket import RECONNECT, RESTART, SERVER, Address, request, size_of

__all__ = [
    "DATAGRAM_GAP_S",
    "DATAGRAM_MOST",
    "Outcome",
    "connect_command",
    "kill_command",
    "listen_command",
    "open_stream",
    "outcome",
]

_PIECE = 1 << 16  # stdin per frame
_MOST_STDERR = 4096


class Outcome:
    """What is known of the program behind a stream: its stderr so far, and its exit code once it ended."""

    def __init__(self) -> None:
        self.stderr = b""
        self.exit_code: int | None = None  # None: still running, or the connection was lost
        self.ended = asyncio.Event()  # set when no more can come
        self._pid_said = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The program's process id, where its command says it first (those of ``netcat`` do) and has said it."""
        found = re.match(rb"pid (\d{1,9})\n", self.stderr)
        return int(found[1]) if found else None

    async def started(self) -> int | None:
        """Waits for the process id; ``None`` when the program ended without saying it."""
        await self._pid_said.wait()
        return self.pid

    def hear(self, stderr: bytes) -> None:
        """Keep the beginning of stderr."""
        self.stderr = (self.stderr + stderr)[:_MOST_STDERR]
        if b"\n" in self.stderr:
            self._pid_said.set()

    def end(self, exit_code: int | None) -> None:
        """The program ended with this exit code; ``None``: nothing more can come."""
        self._pid_said.set()
        if exit_code is None:
            self.ended.set()
        else:
            self.exit_code = exit_code

    def __str__(self) -> str:
        said = re.sub(rb"\Apid \d+\n", b"", self.stderr).decode(errors="replace").strip()
        return f"exit code {self.exit_code}" + (f": {said}" if said else "")


class _Stdin(asyncio.Transport):
    """What the StreamWriter holds: bytes become stdin frames, end of file becomes the frame that says so."""

    def __init__(self, inner: asyncio.Transport, outcome: Outcome) -> None:
        super().__init__({"outcome": outcome})
        self._inner = inner
        self._ended = False

    def write(self, data: Any) -> None:
        """Send ``data`` as stdin. Raises ``RuntimeError`` after ``write_eof``, as a socket's transport does."""
        if self._ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        for place in range(0, len(data), _PIECE):
            self._inner.write(shell_v2.frame(shell_v2.STDIN, bytes(data[place : place + _PIECE])))

    def write_eof(self) -> None:
        """End the program's stdin; its stdout goes on."""
        if not self._ended and not self._inner.is_closing():
            self._ended = True
            self._inner.write(shell_v2.frame(shell_v2.STDIN_ENDS))

    def can_write_eof(self) -> bool:
        """Yes: that is what the frames are for."""
        return True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``outcome``, or whatever the connection to the adb server knows."""
        found = super().get_extra_info(name)
        return found if found is not None else self._inner.get_extra_info(name, default)

    def close(self) -> None:
        """Close the stream: adbd ends the program's stdin and reads no more of its stdout."""
        self._inner.close()

    def abort(self) -> None:
        """Close at once, dropping what was not yet sent."""
        self._inner.abort()

    def is_closing(self) -> bool:
        """Whether the connection is closed or closing."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """Take no more from the device for now (the reader's buffer is full)."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the device again."""
        self._inner.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Bytes not yet handed to the kernel."""
        return self._inner.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Low and high marks of the write buffer."""
        return self._inner.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks at which ``drain`` waits and goes on."""
        self._inner.set_write_buffer_limits(high, low)


class _Stdout(asyncio.StreamReaderProtocol):
    """Takes frames apart: stdout feeds the reader, the rest the outcome."""

    def __init__(self, reader: asyncio.StreamReader, outcome: Outcome) -> None:
        super().__init__(reader)
        self._frames = shell_v2.FrameReader()
        self._sink, self._outcome = reader, outcome

    def data_received(self, data: bytes) -> None:
        """Frames, or parts of them, from the device."""
        try:
            for kind, payload in self._frames.feed(data):
                self._take(kind, payload)
        except ValueError as fault:
            self._sink.set_exception(ConnectionResetError(str(fault)))

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == shell_v2.STDOUT and payload and self._outcome.exit_code is None:
            self._sink.feed_data(payload)
        elif kind == shell_v2.STDERR:
            self._outcome.hear(payload)
        elif kind == shell_v2.EXIT and payload:
            self._outcome.end(payload[0])
            self._sink.feed_eof()

    def eof_received(self) -> bool:
        """The device closed the stream; without an exit code the program's own end was never seen."""
        if self._outcome.exit_code is None:
            self._sink.set_exception(ConnectionResetError("the device closed the stream before the program ended"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of everything: wakes readers and writers."""
        super().connection_lost(exc)
        self._outcome.end(None)


async def open_stream(
    server: Address, serial: str, command: str, *, timeout_s: float = 10.0
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Run ``command`` on the device: the reader has its stdout, the writer is its stdin.

    ``writer.write_eof()`` ends its stdin only. The reader ends with the program; a lost connection raises
    ``ConnectionResetError`` from it. ``outcome(writer)`` tells stderr and the exit code.
    Raises ``DeviceError`` when the server or the device refuses, or does not answer within ``timeout_s``.
    """
    loop = asyncio.get_running_loop()
    link = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET)
    link.setblocking(False)  # the name of the call says what is set
    try:
        async with asyncio.timeout(timeout_s):
            await _open(loop, link, server, serial, command)
    except TimeoutError:
        link.close()
        raise DeviceError(serial, command, f"no answer within {timeout_s:g} s", RECONNECT) from None
    except OSError as fault:
        link.close()
        raise DeviceError(SERVER, command, f"connection lost ({fault})", RESTART) from None
    except BaseException:
        link.close()
        raise
    known = Outcome()
    reader = asyncio.StreamReader(loop=loop)
    transport, protocol = await loop.create_connection(lambda: _Stdout(reader, known), sock=link)
    return reader, asyncio.StreamWriter(_Stdin(transport, known), protocol, reader, loop)


def outcome(writer: asyncio.StreamWriter) -> Outcome:
    """What became of the program behind a stream of ``open_stream``."""
    found = writer.get_extra_info("outcome")
    if not isinstance(found, Outcome):
        raise TypeError("expected a writer that open_stream returned")
    return found


async def _open(
    loop: asyncio.AbstractEventLoop, link: socket.socket, server: Address, serial: str, command: str
) -> None:
    await loop.sock_connect(link, server)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for service in (f"host:transport:{serial}", shell_v2.SERVICE + command):
        await loop.sock_sendall(link, request(service))
        status = await _exactly(loop, link, 4)
        if status != b"OKAY":
            raise DeviceError(serial, service, await _refusal(loop, link, status), RECONNECT)


async def _refusal(loop: asyncio.AbstractEventLoop, link: socket.socket, status: bytes) -> str:
    if status != b"FAIL":
        return f"answer {status!r}, neither OKAY nor FAIL"
    try:
        size = size_of(await _exactly(loop, link, 4))
    except ValueError as fault:
        return str(fault)
    return (await _exactly(loop, link, size)).decode(errors="replace")


async def _exactly(loop: asyncio.AbstractEventLoop, link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = await loop.sock_recv(link, size - len(data))
        if not part:
            raise ConnectionResetError("the adb server closed the connection")
        data += part
    return data
