"""DNS over TCP (RFC 7766): questions and answers with two bytes of length before each."""

from __future__ import annotations

import asyncio

from lab.stages.live.servers.image.authority import Authority

_LENGTH = 2


class NameServer(asyncio.Protocol):
    """One connection; answers may overtake each other, as section 6.2.1.1 allows."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._heard = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each whole question."""
        self._heard += data
        while len(self._heard) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._heard[:_LENGTH], "big")
            if len(self._heard) < end:
                return
            question = bytes(self._heard[_LENGTH:end])
            del self._heard[:end]
            if answer := self._authority.answer(question):
                said = len(answer.data).to_bytes(_LENGTH, "big") + answer.data
                asyncio.get_running_loop().call_later(answer.delay_us / 1e6, self._say, said)

    def _say(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)
