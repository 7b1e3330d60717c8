"""HTTP leaves mitmproxy as it came: what one reading completed goes out in one piece, head and body together.

mitmproxy writes heads and bodies apart, which makes two segments and two TLS records of what was one of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

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


def install() -> None:
    """Has every HTTP layer made from now on join its sends."""
    handle = HttpLayer._handle_event  # noqa: SLF001 - mitmproxy has no option for it

    def handle_joined(self: HttpLayer, event: Any) -> Iterator[Command]:
        return joined(handle(self, event))

    HttpLayer._handle_event = handle_joined  # noqa: SLF001 - as above
