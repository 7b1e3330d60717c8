"""The two processes a gateway is made of: mitmproxy and the capture, each without privileges beyond its own.

mitmproxy gets orders over a socket pair; with an order may come an open file, since it has no way to the folders.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ORDERS = "DROIDRANGE_ORDERS"  # environment of mitmproxy: the descriptor of its end of the socket pair
ORDER_LIMIT = 65536  # bytes of one order or answer
_ANSWER_S = 10.0
_COUNTS = re.compile(rb"(\d+) packets? (captured|received by filter|dropped by kernel)")


def without_privileges(uid: int, caps: Sequence[str] = ()) -> list[str]:
    """The words that run a command under a uid with these capabilities (lower case, no ``cap_``) and no way to more."""
    kept = ",".join(["-all", *(f"+{cap}" for cap in caps)])
    words = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs"]
    return [*words, f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"]


def capture_words(interface: str) -> list[str]:
    """Tcpdump to its standard output: whole packets, each written out at once, microseconds, no look-ups."""
    words = ["tcpdump", "-i", interface, "-p", "-n", "-U", "--immediate-mode", "-s", "262144", "-B", "32768"]
    return [*words, "--time-stamp-precision=micro", "-w", "-"]


@dataclass
class Proxy:
    """mitmproxy, once it has answered; ``process`` ends when it does."""

    process: asyncio.subprocess.Process
    _orders: socket.socket

    @classmethod
    async def start(cls, words: Sequence[str], environment: dict[str, str], *, ready_s: float) -> Proxy:
        """Starts it and waits for its first answer; RuntimeError if that does not come."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        environment = {**environment, ORDERS: str(theirs.fileno())}
        process = await asyncio.create_subprocess_exec(*words, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()
        made = cls(process, ours)
        try:
            await asyncio.wait_for(made.order("ping"), ready_s)
        except (RuntimeError, TimeoutError) as fault:
            await made.finish(signal.SIGKILL, 1.0)
            raise RuntimeError(f"mitmproxy did not start: {fault or 'no answer'}") from fault
        return made

    async def finish(self, how: signal.Signals, timeout_s: float) -> None:
        """Ends it, if it has not ended."""
        await end(self.process, how, timeout_s)
        self._orders.close()

    async def order(self, do: str, *, file: int | None = None, **fields: Any) -> dict[str, Any]:
        """Has it do something: its answer. RuntimeError if it refuses, or has died."""
        text = json.dumps({**fields, "do": do}).encode()
        loop = asyncio.get_running_loop()
        try:
            socket.send_fds(self._orders, [text], [] if file is None else [file])
            told = await asyncio.wait_for(loop.sock_recv(self._orders, ORDER_LIMIT), _ANSWER_S)
        except (OSError, TimeoutError) as fault:
            raise RuntimeError(f"mitmproxy does not answer {do}: {fault or 'too late'}") from fault
        if not told:
            raise RuntimeError(f"mitmproxy died at {do}")
        answer: dict[str, Any] = json.loads(told)
        if "error" in answer:
            raise RuntimeError(f"mitmproxy: {do}: {answer['error']}")
        return answer


@dataclass
class Capture:
    """A running capture into an open file, and what it says."""

    name: str
    process: asyncio.subprocess.Process
    _said: asyncio.Task[bytes]

    @classmethod
    async def start(cls, name: str, words: Sequence[str], file: int, *, ready_s: float) -> Capture:
        """Starts it and waits until it listens; RuntimeError with its complaint if it does not."""
        process = await asyncio.create_subprocess_exec(*words, stdout=file, stderr=asyncio.subprocess.PIPE)
        assert process.stderr is not None
        heard = b""
        try:
            async with asyncio.timeout(ready_s):
                while b"listening on" not in heard:
                    line = await process.stderr.readline()
                    if not line:
                        await process.wait()
                        raise RuntimeError(f"the capture did not start: {heard.decode(errors='replace').strip()}")
                    heard += line
        except TimeoutError as fault:
            await end(process, signal.SIGKILL, 1.0)
            raise RuntimeError("the capture did not start in time") from fault
        return cls(name, process, asyncio.create_task(process.stderr.read()))

    async def finish(self, timeout_s: float) -> dict[str, int]:
        """Stops it: what it counted, ``captured``, ``received by filter`` and ``dropped by kernel`` (tcpdump(8))."""
        await end(self.process, signal.SIGINT, timeout_s)
        return {what.decode(): int(count) for count, what in _COUNTS.findall(await self._said)}


async def end(process: asyncio.subprocess.Process, how: signal.Signals, timeout_s: float) -> None:
    """Ends a process with a signal, by SIGKILL if it has not gone in time."""
    if process.returncode is None:
        process.send_signal(how)
    try:
        await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        process.kill()
        await process.wait()
