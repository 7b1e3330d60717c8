"""Runs inside the servers' image, beside the servers: speaks with each of Debian's daemons as a client of its kind."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import socket
import ssl
import struct
import sys

COOKIE = 0x2112A442
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, do: str, **fields: object) -> dict:
    writer.write(json.dumps({"do": do, **fields}).encode() + b"\n")
    return json.loads(await reader.readline())


async def mqtt(place: tuple[str, int]) -> str:
    """Subscribes, publishes, hears its own message (MQTT 3.1.1), under TLS."""
    context = ssl.create_default_context(cafile="/plan/daemons/pki/origin-ca.pem")
    reader, writer = await asyncio.open_connection(*place, ssl=context, server_hostname=place[0])
    writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test")
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    writer.write(b"\x82\x08\x00\x01\x00\x03a/b\x00")
    assert await reader.readexactly(5) == b"\x90\x03\x00\x01\x00"
    writer.write(b"\x30\x0a\x00\x03a/bhello")
    heard = await reader.readexactly(12)
    writer.close()
    return heard[-5:].decode()


async def socks(place: tuple[str, int], target: tuple[str, int]) -> str:
    """Through the proxy to a web server that nobody has claimed."""
    reader, writer = await asyncio.open_connection(*place)
    writer.write(b"\x05\x01\x00")
    assert await reader.readexactly(2) == b"\x05\x00"
    writer.write(b"\x05\x01\x00\x01" + socket.inet_aton(target[0]) + struct.pack("!H", target[1]))
    assert (await reader.readexactly(10))[:2] == b"\x05\x00"
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    said = await reader.readline()
    writer.close()
    return said.decode().strip()


async def imap(place: tuple[str, int]) -> list[str]:
    """Logs in, stores a mail, sees it, idles."""
    reader, writer = await asyncio.open_connection(*place)
    said = [(await reader.readline()).decode()[:4]]
    mail = b"Subject: a\r\n\r\nb\r\n"
    for command in (b'a LOGIN "x" "lab"', b"b APPEND INBOX {%d+}\r\n%b" % (len(mail), mail), b"c SELECT INBOX"):
        writer.write(command + b"\r\n")
        while not (line := await reader.readline()).startswith(command[:2]):
            if b"EXISTS" in line:
                said.append(line.decode().strip())
        said.append(line.decode()[:4])
    writer.close()
    return said


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(kind: int, attributes: bytes, key: bytes | None = None) -> bytes:
    """A STUN message (RFC 8489), with MESSAGE-INTEGRITY if there is a key."""
    head = struct.pack("!HHI", kind, len(attributes) + (24 if key else 0), COOKIE) + secrets.token_bytes(12)
    said = head + attributes
    return said + attribute(0x0008, hmac.new(key, said, hashlib.sha1).digest()) if key else said


def read(said: bytes) -> tuple[int, dict[int, bytes]]:
    found, place = {}, 20
    while place < len(said):
        kind, size = struct.unpack_from("!HH", said, place)
        found[kind] = said[place + 4 : place + 4 + size]
        place += 4 + size + -size % 4
    return struct.unpack_from("!H", said)[0], found


async def turn(place: tuple[str, int]) -> str:
    """Allocates a relayed address (RFC 8656 section 7) with long-term credentials; its address."""
    loop = asyncio.get_running_loop()
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.setblocking(False)
    line.connect(place)
    udp = attribute(0x0019, b"\x11\0\0\0")
    await loop.sock_sendall(line, message(0x0003, udp))
    kind, found = read(await asyncio.wait_for(loop.sock_recv(line, 2048), 30))
    assert kind == 0x0113, hex(kind)  # 401 with realm and nonce
    realm, nonce = found[0x0014], found[0x0015]
    key = hashlib.md5(b"lab:" + realm + b":lab").digest()
    who = attribute(0x0006, b"lab") + attribute(0x0014, realm) + attribute(0x0015, nonce)
    await loop.sock_sendall(line, message(0x0003, udp + who, key))
    kind, found = read(await asyncio.wait_for(loop.sock_recv(line, 2048), 30))
    assert kind == 0x0103, (hex(kind), found)
    line.close()
    relayed = bytes(a ^ b for a, b in zip(found[0x0016][4:8], struct.pack("!I", COOKIE), strict=True))
    return socket.inet_ntoa(relayed)


async def main() -> None:
    places = {name: tuple(place) for name, place in json.loads(sys.argv[1]).items()}
    control = await asyncio.open_connection("127.0.0.1", 9000)
    planned = await ask(*control, "plan", folder="daemons")
    found = {
        "planned": planned,
        "mqtt": await mqtt(places["mqtt"]),
        "socks": await socks(places["socks-peer"], places["web"]),
        "imap": await imap(places["mailbox"]),
        "turn": await turn(places["turn"]),
        "report": await ask(*control, "report"),
        "finish": await ask(*control, "finish"),
    }
    print(json.dumps(found))


asyncio.run(main())
