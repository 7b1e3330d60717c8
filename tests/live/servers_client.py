"""Runs inside the servers' image, beside the servers: speaks the client's side of each script and takes the time.

One line of JSON per conversation: what came for each of the server's turns, how many bytes and how late.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import sys
import time
from pathlib import Path

from lab.stages.live.servers.image.plan import Plan

CONTROL = ("127.0.0.1", 9000)
GATEWAY = "100.64.77.1"
WHO = ("100.64.77.2", 9100)
FREEBIND = 15


class Control:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.lock = asyncio.Lock()

    async def call(self, do: str, **fields: object) -> dict:
        async with self.lock:
            self.writer.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            answer = json.loads(await self.reader.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer


def bound(address: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
    opened = socket.socket(socket.AF_INET, kind)
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_IP, FREEBIND, 1)
    opened.bind((address, 0))
    return opened


async def converse(plan: Plan, control: Control, n: int, mode: str) -> list[list[float]]:
    """``mode``: direct, late (claimed after the first bytes), gateway (through mitmproxy), h2 is not spoken here."""
    script = plan.script(n)
    loop = asyncio.get_running_loop()
    kind = socket.SOCK_STREAM if script.transport == "tcp" else socket.SOCK_DGRAM
    opened = bound(GATEWAY if mode == "gateway" else script.client, kind)
    own = opened.getsockname()
    client = (script.client, 20_000 + n) if mode == "gateway" else own
    claim = control.call("client", n=n, client=list(client))
    if mode == "direct":
        await claim
    await loop.sock_connect(opened, script.server)
    if mode == "gateway":
        who = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        who.bind((GATEWAY, 0))
        ends = {"upstream": list(own), "server": list(script.server), "client": list(client)}
        who.sendto(json.dumps({**ends, "proto": script.transport}).encode(), WHO)
        who.close()
    late = None if mode == "direct" else asyncio.create_task(claimed(claim))
    read, write, close = await stream(plan, script, opened)
    said, rows = loop.time(), []
    for turn in script.turns:
        if turn.from_client:
            await write(bytes(plan.bytes_of(turn)))
            said = loop.time()
            continue
        got, first = 0, 0.0
        while got < turn.size:
            data = await asyncio.wait_for(read(), 30)
            first = first or loop.time() - said
            if not data:
                raise EOFError(f"{n}: {got} of {turn.size} bytes")
            got += len(data)
        rows.append([got, turn.size, first, (script.rtt_us + turn.think_us) / 1e6, float(turn.pushed)])
    with contextlib.suppress(TimeoutError):
        extra = await asyncio.wait_for(read(), 0.1)
        if extra:
            rows.append([len(extra), 0, 0.0, 0.0, 0.0])
    if late:
        await late
    await close()
    return rows


async def claimed(claim: object) -> None:
    await asyncio.sleep(0.02)
    await claim


async def stream(plan: Plan, script: object, opened: socket.socket):
    loop = asyncio.get_running_loop()
    if opened.type == socket.SOCK_DGRAM:

        async def close() -> None:
            opened.close()

        return (lambda: loop.sock_recv(opened, 65_536)), (lambda data: loop.sock_sendall(opened, data)), close
    context = ssl.create_default_context(cafile=str(plan.pki / "origin-ca.pem")) if script.tls else None
    name = (script.name or script.server[0]) if script.tls else None
    reader, writer = await asyncio.open_connection(sock=opened, ssl=context, server_hostname=name)

    async def write(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    async def finish() -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    return (lambda: reader.read(65_536)), write, finish


async def main() -> None:
    order = json.loads(sys.argv[1])  # {"folder", "modes": {n: mode}}
    plan = Plan(Path("/plan") / order["folder"])
    for _ in range(1200):
        try:
            control = Control(*await asyncio.open_connection(*CONTROL, limit=1 << 24))
            break
        except OSError:
            await asyncio.sleep(0.05)
    planned = await control.call("plan", folder=order["folder"])
    await control.call("start", epoch_us=int(time.time() * 1e6))
    numbers = [int(n) for n in order["modes"]]
    begun = time.monotonic()
    found = await asyncio.gather(
        *(converse(plan, control, n, order["modes"][str(n)]) for n in numbers), return_exceptions=True
    )
    took = time.monotonic() - begun
    await asyncio.sleep(0.2)
    report = await control.call("report")
    rows = {
        n: {"error": repr(one)} if isinstance(one, BaseException) else one
        for n, one in zip(numbers, found, strict=True)
    }
    print(json.dumps({"planned": planned, "rows": rows, "report": report, "took": took}))
    await control.call("finish")


asyncio.run(main())
