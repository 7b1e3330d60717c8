"""Runs inside the servers' image, beside the servers: HTTP/2, names over TCP, and what nobody has planned."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from pathlib import Path

import dnslib
import h2.config
import h2.connection
import h2.events

from lab.stages.live.servers.image.plan import Plan

PLAN = Plan(Path("/plan/odd"))


async def call(control: tuple, do: str, **fields: object) -> dict:
    control[1].write(json.dumps({"do": do, **fields}).encode() + b"\n")
    return json.loads(await control[0].readline())


async def http2(control: tuple) -> dict:
    """Two requests on one connection; bytes of the frames of each stream, and what it took."""
    script = PLAN.script(0)
    context = ssl.create_default_context(cafile=str(PLAN.pki / "origin-ca.pem"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    reader, writer = await asyncio.open_connection(
        *script.server, ssl=context, server_hostname=script.name, local_addr=(script.client, 0)
    )
    await call(control, "client", n=0, client=list(writer.get_extra_info("sockname")))
    spoken = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    spoken.initiate_connection()
    spoken.increment_flow_control_window(1 << 24)
    sizes: dict[int, int] = {}
    statuses: list[str] = []
    delays: list[float] = []
    heard = b""
    for stream in (1, 3):
        asked = time.monotonic()
        head = [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", script.name)]
        spoken.send_headers(stream, head, end_stream=True)
        spoken.increment_flow_control_window(1 << 24, stream)
        writer.write(spoken.data_to_send())
        ended = False
        while not ended:
            data = await asyncio.wait_for(reader.read(65_536), 30)
            assert data
            heard += data
            for event in spoken.receive_data(data):
                ended = ended or isinstance(event, h2.events.StreamEnded)
                if isinstance(event, h2.events.ResponseReceived):
                    statuses.append(dict(event.headers)[b":status"].decode())
                    delays.append(time.monotonic() - asked)
            writer.write(spoken.data_to_send())
    while heard:  # frames: RFC 9113 section 4.1
        size, stream = int.from_bytes(heard[:3], "big"), int.from_bytes(heard[5:9], "big")
        sizes[stream] = sizes.get(stream, 0) + (9 + size if heard[3] in {0, 1} else 0)
        heard = heard[9 + size :]
    writer.close()
    return {
        "alpn": writer.get_extra_info("ssl_object").selected_alpn_protocol(),
        "sizes": sizes,
        "statuses": statuses,
        "delays": delays,
    }


async def names() -> dict:
    """Over TCP: the name in turn, the last answer for ever, and an unknown one."""
    reader, writer = await asyncio.open_connection("198.18.3.53", 53)
    found = []
    for name in ("www.two.example", "www.two.example", "www.two.example", "unknown.example"):
        question = bytes(dnslib.DNSRecord.question(name).pack())
        writer.write(len(question).to_bytes(2, "big") + question)
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = dnslib.DNSRecord.parse(await reader.readexactly(size))
        assert answer.header.id == dnslib.DNSRecord.parse(question).header.id
        found.append(str(answer.rr[0].rdata) if answer.rr else dnslib.RCODE[answer.header.rcode])
    writer.close()
    return {"tcp": found}


async def unclaimed(place: tuple[str, int]) -> str:
    """What a connection gets that nobody claims."""
    try:
        reader, writer = await asyncio.open_connection(*place, local_addr=("10.88.1.10", 0))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return (await asyncio.wait_for(reader.readline(), 60)).decode().strip()
    except OSError as error:
        return type(error).__name__


async def main() -> None:
    control = await asyncio.open_connection("127.0.0.1", 9000)
    await call(control, "plan", folder="odd")
    await call(control, "start", epoch_us=int(time.time() * 1e6))
    web, opaque = PLAN.script(3).server, PLAN.script(4).server
    found, *others = await asyncio.gather(
        http2(control), names(), unclaimed(web), unclaimed(opaque), unclaimed(("198.18.3.99", opaque[1]))
    )
    print(json.dumps({"h2": found, **others[0], "unclaimed": others[1:], "report": await call(control, "report")}))
    await call(control, "finish")


asyncio.run(main())
