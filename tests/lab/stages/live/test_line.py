"""A line: plain and under TLS, what it hears and how it ends, over loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from contextlib import asynccontextmanager

import pytest

from lab.protocols.handshakes.certificates import Authority
from lab.protocols.real_tls import client_context
from lab.stages.live import line as module
from lab.stages.live.line import Line, LineError

VALID = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority():
    return Authority("test CA", VALID)


@pytest.fixture(scope="module")
def server_context(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("pki") / "leaf.pem"
    signed = authority.server("lab.example")
    path.write_bytes(signed.certificate + signed.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def served(answer, context=None, **line):
    """A line to a server that runs ``answer(reader, writer)``."""

    async def handle(reader, writer) -> None:
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        made = Line(*await asyncio.open_connection(*server.sockets[0].getsockname()), **line)
        yield made
        await made.close()


async def echo(reader, writer) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("stack", [0, 1])
def test_it_says_and_hears(tls, stack, authority, server_context) -> None:
    async def run() -> tuple[int, int]:
        async with served(echo, server_context if tls else None) as line:
            if tls:
                trusted = authority.own.certificate.decode()
                await line.shake_hands(client_context(stack, "http/1.1", trusted), "lab.example")
            line.listen()
            for size in (1, 100_000, 7):
                await line.say(bytes(size))
            await line.hear(100_008, soon())
            return line.sent, line.received

    assert asyncio.run(run()) == (100_008, 100_008)


def test_a_stranger_s_certificate_is_refused(server_context) -> None:
    async def run() -> None:
        async with served(echo, server_context) as line:
            trusted = Authority("another CA", VALID).own.certificate.decode()
            with pytest.raises(LineError, match="TLS handshake"):
                await line.shake_hands(client_context(0, "", trusted), "lab.example")

    asyncio.run(run())


def test_silence_and_a_hang_up_are_told_apart() -> None:
    async def hangs_up(reader, writer) -> None:
        writer.write(b"only this")

    async def waits(reader, writer) -> None:
        await reader.read()

    async def run(answer) -> str:
        async with served(answer) as line:
            line.listen()
            with pytest.raises(LineError) as caught:
                await line.hear(100, asyncio.get_running_loop().time() + 0.1)
            return str(caught.value)

    assert "hung up after 9 of 100" in asyncio.run(run(hangs_up))
    assert "heard 0 of 100 in time" in asyncio.run(run(waits))


async def unread(reader, writer) -> None:
    writer.transport.pause_reading()
    await asyncio.sleep(5)


@pytest.mark.parametrize("tls", [False, True])
def test_who_takes_nothing_is_given_up(tls, authority, server_context, monkeypatch) -> None:
    async def run() -> None:
        async with served(unread, server_context if tls else None) as line:
            if tls:
                await line.shake_hands(client_context(0, "", authority.own.certificate.decode()), "lab.example")
            monkeypatch.setattr(module, "WAIT_S", 0.1)
            line.listen()
            with pytest.raises(LineError, match=r"cannot send: nothing was taken for 0.1 s"):
                await line.say(bytes(32 << 20))
            assert line.sent == 0
            assert line.writer.transport.is_closing()

    asyncio.run(asyncio.wait_for(run(), 4))


@pytest.mark.parametrize("tls", [False, True])
def test_a_goodbye_that_is_not_taken_is_cut_short(tls, authority, server_context, monkeypatch) -> None:
    async def run() -> float:
        async with served(unread, server_context if tls else None) as line:
            if tls:
                await line.shake_hands(client_context(0, "", authority.own.certificate.decode()), "lab.example")
            monkeypatch.setattr(module, "WAIT_S", 0.1)
            line.listen()
            line.writer.write(bytes(32 << 20))
            begun = asyncio.get_running_loop().time()
            await line.close()
            assert line.writer.transport.is_closing()
            return asyncio.get_running_loop().time() - begun

    assert asyncio.run(asyncio.wait_for(run(), 4)) < 1


def test_replies_are_counted_where_a_server_words_them_itself() -> None:
    async def talks(reader, writer) -> None:
        for piece in (b"220 he", b"llo\r\n250-a\r\n250 b\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        await reader.read()

    async def run() -> int:
        async with served(talks, measure=lambda said: said.count(b"\r\n")) as line:
            line.listen()
            await line.hear(3, soon())
            return line.received

    assert asyncio.run(run()) == len(b"220 hello\r\n250-a\r\n250 b\r\n")
