"""Runs inside the servers' image as a phone with proxies: strangers dial in, what they ask for is dialled on.

Beside it run the servers (control port 9000) and the strangers (9001). Conversations: see test_servers.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from pathlib import Path

from lab.stages.live.servers.image.plan import Plan

PHONE = "10.88.1.10"
BOUND_S = 60.0  # of every wait: it ends a hang, and judges no speed


class Control:
    @classmethod
    async def open(cls, port: int) -> Control:
        made = cls()
        until = time.monotonic() + BOUND_S
        while True:
            try:
                made.reader, made.writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:  # it is being started
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
        made.turn = asyncio.Lock()  # one question and its answer at a time
        return made

    async def call(self, do: str, **fields: object) -> dict:
        async with self.turn:
            self.writer.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            answer = json.loads(await self.reader.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Phone:
    """A CONNECT proxy, and a listener that plays the server's side of an inbound conversation."""

    def __init__(self, plan: Plan, servers: Control) -> None:
        self.plan, self.servers = plan, servers
        self.peers: dict[int, list] = {}

    async def claim(self, n: int, server: tuple[str, int]) -> None:
        """Tells the servers who dials ``server``, as the sensor on the phone would."""
        wanted = "{:08X}:{:04X}".format(struct.unpack("<I", socket.inet_aton(server[0]))[0], server[1])
        while True:
            table = Path("/proc/net/tcp").read_text()  # noqa: ASYNC240 - memory of the kernel
            for line in table.splitlines()[1:]:
                _, local, remote, state = line.split()[:4]
                if remote == wanted and state != "0A":
                    address, port = local.split(":")
                    client = [socket.inet_ntoa(struct.pack("<I", int(address, 16))), int(port, 16)]
                    await self.servers.call("client", n=n, client=client)
                    return
            await asyncio.sleep(0.01)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        address, port = head.split()[1].decode().rsplit(":", 1)
        beyond = await asyncio.open_connection(address, int(port), local_addr=(PHONE, 0))
        writer.write(b"HTTP/1.1 200 Connection established\r\nX-Longer: than the script's\r\n\r\n")
        await asyncio.gather(pump(reader, beyond[1]), pump(beyond[0], writer), return_exceptions=True)

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers[4] = list(writer.get_extra_info("peername"))
        for turn in self.plan.script(4).turns:
            if turn.from_client:
                await reader.readexactly(turn.size)
            else:
                writer.write(self.plan.bytes_of(turn))


async def listening(port: int) -> None:
    """Waits until somebody does on the port; knocking would be a visit."""
    until = time.monotonic() + BOUND_S
    table = Path("/proc/net/tcp")
    while f":{port:04X} 00000000:0000 0A" not in table.read_text():  # noqa: ASYNC240 - memory of the kernel
        assert time.monotonic() < until
        await asyncio.sleep(0.02)


async def settled(*controls: Control) -> None:
    """Waits until no conversation has had news for two seconds, which is longer than any pause of these scripts."""
    told, since, until = None, time.monotonic(), time.monotonic() + BOUND_S
    while time.monotonic() < min(since + 2.0, until):
        now = [(await control.call("report"))["conversations"] for control in controls]
        if now != told:
            told, since = now, time.monotonic()
        await asyncio.sleep(0.1)


async def main() -> None:
    plan = Plan(Path("/plan/strangers"))
    servers, strangers = await Control.open(9000), await Control.open(9001)
    phone = Phone(plan, servers)
    await asyncio.start_server(phone.connect, PHONE, 3128)
    await asyncio.start_server(phone.listen, PHONE, 7000)
    socks = await asyncio.create_subprocess_exec("microsocks", "-i", PHONE, "-p", "1080", "-b", PHONE, stderr=-3)
    await listening(1080)
    for control in (servers, strangers):
        await control.call("plan", folder="strangers")
    for control in (servers, strangers):
        await control.call("start", epoch_us=int((time.time() + 0.2) * 1e6))
    claims = [phone.claim(n, plan.script(n).server) for n in (1, 3)]
    await asyncio.wait_for(asyncio.gather(*claims), BOUND_S)
    await settled(servers, strangers)
    told = {"dialled": await strangers.call("dialled"), "peers": phone.peers}
    told |= {"strangers": await strangers.call("report"), "servers": await servers.call("report")}
    for control in (servers, strangers):
        await control.call("finish")
    socks.terminate()
    print(json.dumps(told))


asyncio.run(main())
