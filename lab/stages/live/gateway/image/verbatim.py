"""HTTP/1 leaves mitmproxy as it came: heads byte by byte, and what one reading completed in one piece.

mitmproxy writes heads anew, with its own white space, and heads and bodies apart, which makes two segments and two TLS
records of what was one of each. It has options for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mitmproxy.net.http import http1
from mitmproxy.proxy.commands import Command, Log, SendData
from mitmproxy.proxy.layers.http import HttpLayer


def joined(commands: Iterable[Command]) -> Iterator[Command]:
    """The commands, neighbouring sends over one connection made one; log lines do not come between."""
    held: SendData | None = None
    for command in commands:
        if held is not None and isinstance(command, SendData) and command.connection is held.connection:
            held = SendData(held.connection, held.data + command.data)
            continue
        if held is not None and not isinstance(command, Log):
            yield held
            held = None
        if isinstance(command, SendData):
            held = command
        else:
            yield command
    if held is not None:
        yield held


def remembering(read: Callable[[list[bytes]], Any], assemble: Callable[[Any], bytes]) -> Callable[[list[bytes]], Any]:
    """Reads a head, and notes on the message what it was and what mitmproxy would make of it."""

    def noted(lines: list[bytes]) -> Any:
        head = b"".join(line + b"\r\n" for line in (*lines, b""))
        message = read(lines)
        message.as_read = (head, assemble(message))
        return message

    return noted


def repeating(assemble: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """The head as it was read, unless the message has been changed since."""

    def repeated(message: Any) -> bytes:
        made = assemble(message)
        read, expected = getattr(message, "as_read", (made, made))
        return read if made == expected else made

    return repeated


def install() -> None:
    """Has mitmproxy do so from now on."""
    for kind in ("request", "response"):
        read, assemble = getattr(http1, f"read_{kind}_head"), getattr(http1, f"assemble_{kind}_head")
        setattr(http1, f"read_{kind}_head", remembering(read, assemble))
        setattr(http1, f"assemble_{kind}_head", repeating(assemble))
    handle = HttpLayer._handle_event  # noqa: SLF001 - see above

    def handle_joined(self: HttpLayer, event: Any) -> Iterator[Command]:
        return joined(handle(self, event))

    HttpLayer._handle_event = handle_joined  # noqa: SLF001 - see above
