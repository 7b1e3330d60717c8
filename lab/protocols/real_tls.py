"""Real TLS around another protocol's messages: OpenSSL in memory, a lab CA made for the call, a key log.

The price of bytes that decrypt is determinism: OpenSSL draws its own randomness. Private keys live in this process
only; pipes carry them past an ssl module that takes nothing but file names.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import ssl
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np

from lab.errors import StageError
from lab.protocols import Message, moved_behind
from lab.protocols.handshakes import PLAIN, Manner, shapes
from lab.protocols.handshakes.certificates import Authority
from lab.protocols.handshakes.hello import likeness, offered
from lab.protocols.tls import CLIENT_CRYPTO_US, SERVER_CRYPTO_US

_VALID = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 1, 1, tzinfo=dt.UTC)  # no clock is read
_SMALLEST_PIPE = 4096  # bytes POSIX lets a pipe hold before a write would wait, at least


class LiveTls:
    """A lab CA and the handshakes under it. Clients are OpenSSL's: of a stack only version and ALPN are kept.

    ``keys``: a file to append the key log to as handshakes are made; without it ``keylog`` has the only copy.
    """

    def __init__(self, keys: Path | None = None) -> None:
        self._keys = keys
        self._authority = Authority("droidrange lab CA", _VALID)
        self.ca_pem = self._authority.own.certificate.decode("ascii")
        self._servers: dict[tuple[str, str], ssl.SSLContext] = {}
        self._lines: list[str] = []

    def keylog(self) -> str:
        """The NSS key log of every handshake so far, as Wireshark reads it; one line per secret."""
        return "".join(f"{line}\n" for line in self._lines)

    def wrap(
        self,
        messages: Iterable[Message],
        *,
        host: str,
        stack: int,
        alpn: str,
        rng: np.random.Generator,
        start: int | None = None,
        manner: Manner = PLAIN,
        variant: int | None = None,  # noqa: ARG002 - OpenSSL's hello is always its own
    ) -> Iterator[Message]:
        """As ``lab.protocols.tls.wrap``, really encrypted; both ends read back what the other wrote.

        Of a ``manner`` another name or none is spoken: the server shows a certificate for that name, and without one
        the client accepts its own host's. Raises StageError for ECH and resumption, which OpenSSL is not asked for
        here, ssl.SSLError if a handshake fails and ValueError if an end reads other bytes than were written.
        """
        refuse(manner)
        coming = iter(messages)
        first = next(coming, None)
        if first is None and start is None:
            return
        time = start if start is not None else first.time if first else 0
        client, name = client_context(stack, alpn, self.ca_pem), host if manner.sni is None else manner.sni
        client.check_hostname = bool(name)
        session = _Session(client, self._server(name or host, alpn), name)
        server_us, client_us = int(rng.integers(*SERVER_CRYPTO_US)), int(rng.integers(*CLIENT_CRYPTO_US))
        ready = time + server_us + client_us
        *flights, last = session.handshake()
        self._log(session.secrets())
        for when, flight in zip((time, time + server_us, ready), flights, strict=True):
            yield Message(when, *flight)
        said = moved_behind(coming if first is None else chain([first], coming), ready)
        if session.modern and first is not None and first.from_client and first.time <= ready:
            yield session.sealed(next(said))
        yield Message(ready, *last)
        for message in said:
            yield session.sealed(message)

    def _log(self, lines: list[str]) -> None:
        self._lines += lines
        if self._keys:
            with self._keys.open("a", encoding="ascii") as file:
                file.writelines(f"{line}\n" for line in lines)

    def _server(self, host: str, alpn: str) -> ssl.SSLContext:
        if (host, alpn) not in self._servers:
            self._servers[host, alpn] = self._new_server(host, alpn)
        return self._servers[host, alpn]

    def _new_server(self, host: str, alpn: str = "http/1.1") -> ssl.SSLContext:
        signed = self._authority.server(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if alpn:
            context.set_alpn_protocols([alpn])
        with _Piped(signed.certificate) as chain_path, _Piped(signed.key) as key_path:
            context.load_cert_chain(chain_path, key_path)
        return context


def refuse(manner: Manner) -> None:
    """StageError names what real TLS cannot do here and where it can be had."""
    asked = [word for word, wanted in (("ech", manner.ech), ("resume", manner.resume)) if wanted]
    if asked:
        raise StageError(
            f"real TLS cannot speak {' and '.join(asked)}: play it on the wire stage, with recorded hellos"
        )


@cache
def told_apart(stack: int, alpn: str) -> int:
    """The first client shape with the same JA4 as this one: what a sensor cannot tell apart stays so."""
    likenesses = [likeness(shape.client[0], alpn=bool(alpn)) for shape in shapes()]
    return likenesses.index(likenesses[stack])


def client_context(stack: int, alpn: str, trusted: str) -> ssl.SSLContext:
    """OpenSSL as a client that trusts these CAs (PEM); of a client shape version and ALPN are kept.

    Shapes stay told apart: each offers every cipher suite but another one, so that each JA4 becomes another.
    LookupError: unknown stack.
    """
    pool = shapes()
    if not 0 <= stack < len(pool):
        raise LookupError(f"unknown TLS client stack {stack}: known are 0 to {len(pool) - 1}")
    context = ssl.create_default_context(cadata=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by default
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if pool[stack].modern else ssl.TLSVersion.TLSv1_2
    suites = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
    context.set_ciphers(":".join(suite for k, suite in enumerate(suites) if k != told_apart(stack, alpn) % len(suites)))
    names = offered(pool[stack].client[0])
    if alpn == "h2" or (names and alpn):
        context.set_alpn_protocols(names if alpn in names else [alpn])
    return context


class _Session:
    """One client and one server, joined by memory."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
        self._to_client, self._to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._from_client, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._log = _Piped(b"", append=True)
        client.keylog_filename = str(self._log.path)
        self._client_context = client
        self._client = client.wrap_bio(self._to_client, self._from_client, server_hostname=host or None)
        self._server = server.wrap_bio(self._to_server, self._from_server, server_side=True)

    @property
    def modern(self) -> bool:
        """Whether TLS 1.3 was negotiated."""
        return self._client.version() == "TLSv1.3"

    def handshake(self) -> list[tuple[bool, bytes]]:
        """The four flights, as (from_client, bytes); the last one is the server's tickets or TLS 1.2 Finished."""
        return [(side, self._flight(from_client=side)) for side in (True, False, True, False)]

    def sealed(self, message: Message) -> Message:
        """The message encrypted by its side, proved by the other side's reading it."""
        writer, reader = (self._client, self._server) if message.from_client else (self._server, self._client)
        writer.write(message.data)
        data = self._moved(from_client=message.from_client)
        heard = bytearray()
        while len(heard) < len(message.data):
            heard += reader.read(len(message.data) - len(heard))
        if bytes(heard) != message.data:
            raise ValueError(f"wrote {len(message.data)} bytes, the other end read different ones")
        return Message(message.time, message.from_client, data, message.pushed)

    def secrets(self) -> list[str]:
        """The key log lines of this handshake; the log is closed."""
        self._client_context.keylog_filename = None  # type: ignore[assignment]  # None closes it, typeshed says str
        lines = self._log.taken().decode("ascii").splitlines()
        return [line for line in lines if not line.startswith("#")]

    def _flight(self, *, from_client: bool) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            (self._client if from_client else self._server).do_handshake()
        return self._moved(from_client=from_client)

    def _moved(self, *, from_client: bool) -> bytes:
        data = (self._from_client if from_client else self._from_server).read()
        (self._to_server if from_client else self._to_client).write(data)
        return data


class _Piped:
    """A file name behind which there is a pipe and no disk."""

    def __init__(self, content: bytes, *, append: bool = False) -> None:
        self._read, self._write = os.pipe()
        assert len(content) <= _SMALLEST_PIPE, "a PEM of our own making fits a pipe"
        os.write(self._write, content)
        self.path = f"/dev/fd/{self._write if append else self._read}"

    def taken(self) -> bytes:
        """What was written by name; the pipe is gone afterwards."""
        os.close(self._write)
        content = bytearray()
        while piece := os.read(self._read, _SMALLEST_PIPE):
            content += piece
        os.close(self._read)
        return bytes(content)

    def __enter__(self) -> str:
        os.close(self._write)
        return self.path

    def __exit__(self, *_: object) -> None:
        os.close(self._read)
