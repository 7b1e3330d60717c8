"""Which socket belongs to which conversation: what was opened, matched with what the phone's kernel reports.

A connection shows its uid and peer in the kernel's report, not its conversation. So openings to the same (device, uid,
protocol, server) take turns, and the next report of that kind belongs to the one whose turn it is. What a proxy on the
phone dials on a stranger's behalf is awaited in the order in which it was asked for: the player's, of real time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lab.stages.live.script import Endpoint, Script

#: (device, uid, transport, server address, server port)
Kind = tuple[int, int, str, str, int]
NAMED = 5  # of what nobody planned


@dataclass(frozen=True)
class Seen:
    """A new connection as the kernel reported it."""

    client: Endpoint
    time_us: int  # wall clock


@dataclass
class Ports:
    """Those who wait for a report. Reports that nobody waits for are kept: they are traffic nobody planned."""

    unplanned: list[tuple[Kind, Seen]] = field(default_factory=list)
    _turns: dict[Kind, asyncio.Lock] = field(default_factory=dict)
    _opening: dict[Kind, asyncio.Future[Seen]] = field(default_factory=dict)
    _dialled: dict[Kind, deque[asyncio.Future[Seen]]] = field(default_factory=dict)

    @asynccontextmanager
    async def opening(self, script: Script) -> AsyncIterator[asyncio.Future[Seen]]:
        """The turn to open a connection of this kind; the future is its report."""
        kind = kind_of(script)
        async with self._turns.setdefault(kind, asyncio.Lock()):
            report = asyncio.get_running_loop().create_future()
            self._opening[kind] = report
            try:
                yield report
            finally:
                del self._opening[kind]

    def dialling(self, script: Script) -> asyncio.Future[Seen]:
        """The report of what a proxy will dial for this conversation."""
        report: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        self._dialled.setdefault(kind_of(script), deque()).append(report)
        return report

    def saw(self, kind: Kind, seen: Seen) -> None:
        """A report has come in."""
        report = self._opening.get(kind)
        if report is None or report.done():
            waiting = self._dialled.get(kind, deque())
            while waiting and waiting[0].done():
                waiting.popleft()
            report = waiting.popleft() if waiting else None
        if report is None:
            self.unplanned.append((kind, seen))
        else:
            report.set_result(seen)


def told_of(unplanned: Sequence[tuple[Kind, Seen]]) -> dict[str, Any]:
    """Traffic nobody planned, as an object of lab/run.json: how much there was, and the first of it by name."""
    first = [
        f"device {device} uid {uid}: {transport} {':'.join(map(str, seen.client))} to {address}:{port}"
        for (device, uid, transport, address, port), seen in unplanned[:NAMED]
    ]
    return {"n": len(unplanned), "first": first}


def kind_of(script: Script) -> Kind:
    """What a connection of this conversation looks like to the kernel."""
    return (script.device, script.uid, script.transport, *script.server)
