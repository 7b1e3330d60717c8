"""The servers of the gateway's live test, in a container: what they got and sent is told as JSON lines on stdout."""

import asyncio
import hashlib
import json
import ssl
import struct
import time

import h2.config
import h2.connection
import h2.events
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage

GREETING = b"220 it is me who speaks first\r\n"


def say(event, **fields):
    print(json.dumps({"event": event, "time_us": time.time_ns() // 1000, **fields}), flush=True)


def digest(data):
    return [len(data), hashlib.sha256(data).hexdigest()]


def answer_to(path):
    """In pieces, so that a large one needs no memory."""
    if path == "/chunked":
        pieces = b"".join(b"%x\r\n%s\r\n" % (size, b"c" * size) for size in (5, 300, 1))
        yield b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
        return
    size = int(path.removeprefix("/bytes/")) if path.startswith("/bytes/") else 10
    last = b"Connection: close\r\n" if path == "/close" else b""
    head = b"HTTP/1.1 200 All is Well\r\nX-Odd-CASE:  two\r\ncontent-length: %d\r\n%s\r\n" % (size, last)
    yield head + b"b" * min(size, 1 << 16)
    for at in range(1 << 16, size, 1 << 16):
        yield b"b" * min(size - at, 1 << 16)


async def web(reader, writer):
    peer = writer.get_extra_info("peername")[:2]
    try:
        if writer.get_extra_info("ssl_object") and writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            await web2(reader, writer)
            return
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first = time.time_ns() // 1000
            names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            path = head.split(b" ")[1].decode()
            if b"upgrade" in names:
                await websocket(reader, writer, head)
                return
            size, body, counted = int(names.get(b"content-length", 0)), hashlib.sha256(head), len(head)
            while size > 0:
                part = await reader.read(min(size, 65536))
                body.update(part)
                counted += len(part)
                size -= len(part)
            told, sent = hashlib.sha256(), 0
            for piece in answer_to(path):
                writer.write(piece)
                await writer.drain()
                told.update(piece)
                sent += len(piece)
            received = [counted, body.hexdigest()]
            say("web", path=path, peer=peer, first_us=first, got=received, sent=[sent, told.hexdigest()])
            if path == "/close":
                break
            if path == "/idle-close":
                await asyncio.sleep(0.3)
                break
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def websocket(reader, writer, head):
    link = WSConnection(ConnectionType.SERVER)
    link.receive_data(head)
    while True:
        for event in link.events():
            if isinstance(event, Request):
                writer.write(link.send(AcceptConnection()))
            elif isinstance(event, TextMessage | BytesMessage):
                writer.write(link.send(type(event)(data=event.data)))
            elif isinstance(event, Ping):
                writer.write(link.send(event.response()))
            elif isinstance(event, CloseConnection):
                writer.write(link.send(event.response()))
                return
        data = await reader.read(65536)
        if not data:
            return
        link.receive_data(data)


async def web2(reader, writer):
    link = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    link.initiate_connection()
    writer.write(link.data_to_send())
    while data := await reader.read(65536):
        for event in link.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = {name.decode(): value.decode() for name, value in event.headers}
                say("web2", path=headers[":path"])
                link.send_headers(event.stream_id, [(":status", "200"), ("content-length", "4")])
                link.send_data(event.stream_id, b"two!", end_stream=True)
        writer.write(link.data_to_send())


async def first_speaker(reader, writer):
    writer.write(GREETING)
    while data := await reader.read(65536):
        writer.write(data.upper())
    writer.close()


def dns_answer(question):
    """Three compressed answers and an EDNS OPT of 1232 bytes with padding, as a resolver says them (RFC 1035, 6891)."""
    name = question[12 : question.index(0, 12) + 5]
    told = question[:2] + struct.pack("!5H", 0x8180, 1, 3, 0, 1) + name
    told += b"".join(struct.pack("!HHHIH4B", 0xC00C, 1, 1, 60, 4, 198, 18, 0, last) for last in (1, 2, 3))
    return told + b"\0" + struct.pack("!HHIH", 41, 1232, 0, 16) + struct.pack("!HH", 12, 12) + bytes(12)


class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        told = dns_answer(data)
        say("dns", peer=peer[:2], got=digest(data), sent=digest(told))
        self.transport.sendto(told, peer)


class Notices(asyncio.DatagramProtocol):
    def datagram_received(self, data, peer):
        say("notice", notice=json.loads(data), peer=peer[:2])


async def names_tcp(reader, writer):
    try:
        while True:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            told = dns_answer(await reader.readexactly(size))
            writer.write(struct.pack("!H", len(told)) + told)
    except asyncio.IncompleteReadError:
        writer.close()


def tls(*protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/plan/pki/www.lab.example.pem")
    context.set_alpn_protocols(list(protocols))
    return context


async def main():
    loop = asyncio.get_running_loop()
    for port in (80, 8080, 5080):
        await asyncio.start_server(web, "0.0.0.0", port)
    await asyncio.start_server(web, "0.0.0.0", 443, ssl=tls("h2", "http/1.1"))
    await asyncio.start_server(web, "0.0.0.0", 8443, ssl=tls("http/1.1"))
    await asyncio.start_server(first_speaker, "0.0.0.0", 2525)
    await asyncio.start_server(names_tcp, "0.0.0.0", 53)
    await loop.create_datagram_endpoint(Names, ("0.0.0.0", 53))
    await loop.create_datagram_endpoint(Notices, ("0.0.0.0", 9100))
    say("ready")
    await asyncio.Event().wait()


asyncio.run(main())
