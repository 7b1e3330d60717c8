"""Health checks of the daemons: one question of each protocol, and whether the answer is one of it."""

from __future__ import annotations

import asyncio
import secrets
import struct

from lab.stages.live.servers.image.plan import Endpoint

_WAIT_S = 2.0
_MQTT_CONNECT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04ping"  # MQTT 3.1.1 section 3.1: clean session
_MQTT_ACCEPTED = b"\x20\x02\x00\x00"  # section 3.2
_STUN_BINDING, _STUN_SUCCESS, _STUN_COOKIE = 0x0001, 0x0101, 0x2112A442  # RFC 8489 section 5


async def mqtt_connects(place: Endpoint) -> bool:
    """CONNECT is acknowledged."""
    return await _told(place, _MQTT_CONNECT, len(_MQTT_ACCEPTED)) == _MQTT_ACCEPTED


async def socks_greets(place: Endpoint) -> bool:
    """A greeting without authentication is accepted, RFC 1928 section 3."""
    return await _told(place, b"\x05\x01\x00", 2) == b"\x05\x00"


async def imap_greets(place: Endpoint) -> bool:
    """The server says OK first, RFC 9051 section 7.1.1."""
    return await _told(place, b"", 5) == b"* OK "


async def stun_answers(place: Endpoint) -> bool:
    """A binding request over UDP is answered with its own transaction id, RFC 8489 section 6.3."""
    asked = struct.pack("!HHI", _STUN_BINDING, 0, _STUN_COOKIE) + secrets.token_bytes(12)
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Ear(heard), remote_addr=place)
    try:
        transport.sendto(asked)
        async with asyncio.timeout(_WAIT_S):
            said = await heard
    except (OSError, TimeoutError):
        return False
    finally:
        transport.close()
    return len(said) >= 20 and said[:2] == struct.pack("!H", _STUN_SUCCESS) and said[4:20] == asked[4:20]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: asyncio.Future[bytes]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self._heard.done():
            self._heard.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._heard.done():
            self._heard.set_exception(exc)


async def _told(place: Endpoint, said: bytes, size: int) -> bytes:
    """The first ``size`` bytes of the answer; empty if there is none in time."""
    try:
        async with asyncio.timeout(_WAIT_S):
            reader, writer = await asyncio.open_connection(*place)
            try:
                writer.write(said)
                return await reader.readexactly(size)
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return b""
