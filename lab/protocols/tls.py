"""TLS around another protocol's messages: recorded handshakes patched from the generator, records of filler.

The handshakes come from real stacks (lab/protocols/handshakes); nothing is encrypted, every encrypted byte is random.
For bytes that decrypt, see real_tls.py. Sizes are those of the recorded stacks, so shapes say nothing about a label.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np

from lab.protocols import Message, drawn, filler, fresh, moved_behind
from lab.protocols.handshakes import ALERT, APPLICATION, HANDSHAKE, PLAIN, Manner, Record, Shape, shapes
from lab.protocols.handshakes.hello import (
    Template,
    client_hello,
    is_name,
    joined,
    key_exchange,
    offered,
    server_hello,
)
from lab.protocols.handshakes.keys import share
from lab.protocols.handshakes.resumption import SESSION, shortened
from lab.protocols.handshakes.variant import VARIANTS

RECORD_PLAINTEXT = 1 << 14  # RFC 8446 section 5.1
SERVER_CRYPTO_US = (400, 3_000)  # signing and key agreement on a server
CLIENT_CRYPTO_US = (1_000, 8_000)  # verifying a chain on a phone
_ALPN_SHARE = 2 + 2 + 2 + 1  # what an ALPN answer adds to EncryptedExtensions beside the name
_CHAIN = (400, 3_600)  # bytes that real chains exceed our single self-signed certificate by


class _Script(NamedTuple):
    """The four flights of a handshake as one template, where each ends, and how many bytes each conversation draws."""

    template: Template
    ends: tuple[int, ...]
    noise: int
    sealed: int


def client_pool_size() -> int:
    """How many client shapes there are: a stack is 0 up to this."""
    return len(shapes())


def sizes(
    stack: int, *, host: str = "lab.example", alpn: str = "http/1.1", manner: Manner = PLAIN, variant: int = 0
) -> tuple[int, int]:
    """Bytes of a whole handshake, record headers included: (up, down), with TLS 1.3's tickets.

    ``variant``: which of its hellos a client says that draws anew each time; they differ in ECH and padding.
    """
    hello, answered, finished, end = _script(able(stack, manner), host, alpn, manner, variant).ends
    return hello + finished - answered, answered - hello + end - finished


@lru_cache(maxsize=1024)
def alike_hellos(stack: int, *, ech: bool) -> tuple[int, ...]:
    """(VARIANTS,) for each variant the first that is as long without padding: for sizes and JA4 they are one.

    All are 0 for a client whose hellos differ in nothing that has a length. LookupError: unknown stack.
    """
    manner = replace(PLAIN, ech=ech)
    shape = replace(_shape(able(stack, manner)), pads=False)
    said = [client_hello(shape, name="", alpn="", manner=manner, variant=variant) for variant in range(VARIANTS)]
    lengths = [len(one.data) for one in said]
    return tuple(map(lengths.index, lengths))


@lru_cache(maxsize=1 << 14)
def chain_bytes(host: str) -> int:
    """By how many bytes a host's certificate chain exceeds our single self-signed certificate."""
    digest = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big")
    return _CHAIN[0] + digest % (_CHAIN[1] - _CHAIN[0])


def able(stack: int, manner: Manner) -> int:
    """The stack, or where it knows no TLS 1.3 and ECH is wanted the next one that does. LookupError: unknown stack."""
    _shape(stack)
    if not manner.ech:
        return stack
    pool = shapes()
    return next(k % len(pool) for k in range(stack, stack + len(pool)) if pool[k % len(pool)].modern)


def wrap(
    messages: Iterable[Message],
    *,
    host: str,
    stack: int,
    alpn: str,
    rng: np.random.Generator,
    start: int | None = None,
    manner: Manner = PLAIN,
    variant: int | None = None,
) -> Iterator[Message]:
    """The handshake at ``start`` (default: the first message's time), then each message as TLS records.

    ``alpn``: a name the shape offers keeps its recorded list; another replaces it; "" removes the extension. ``host``
    as an address means no SNI. In TLS 1.3 the client's first request follows its Finished at once, before the server's
    tickets; in TLS 1.2 it waits for the server's Finished, which in a resumed session comes before the client's. What
    was meant for earlier moves behind the handshake. ``manner``: the name in clear, ECH, resumption (see ``able``), and
    whether it is ``carried``: then the Finished of TLS 1.3 waits for that request, for both come from somebody farther.
    ``variant``: which of its hellos a client says that draws anew each time, below VARIANTS; default: drawn here.
    Without any message and ``start`` nothing is said. LookupError: unknown stack.
    """
    coming = iter(messages)
    first = next(coming, None)
    if first is None and start is None:
        return
    stack, opened = able(stack, manner), start if start is not None else first.time if first else 0
    shape = _shape(stack)
    said_as = _said_as(variant, rng) if shape.permutes or manner.ech else 0
    *before, last = _handshake(opened, _script(stack, host, alpn, manner, said_as), rng)
    asks = first if first is not None and first.from_client else None
    if manner.carried and shape.modern and asks is not None:
        before[-1], last = (replace(one, time=max(asks.time, last.time)) for one in (before[-1], last))
    yield from before
    said = moved_behind(coming if first is None else chain([first], coming), before[-1].time)
    if asks is not None and (shape.modern or manner.resume) and asks.time <= before[-1].time:
        yield _sealed(next(said), shape.overhead, rng)
    if last.data:
        yield last
    for message in said:
        yield _sealed(message, shape.overhead, rng)


def _said_as(variant: int | None, rng: np.random.Generator) -> int:
    return drawn(rng, 0, VARIANTS) if variant is None else variant


def closing(time: int, *, stack: int, from_client: bool, rng: np.random.Generator) -> Message:
    """The close_notify alert of one side (RFC 8446 section 6.1)."""
    shape = _shape(stack)
    size = 2 + shape.overhead
    kind = APPLICATION if shape.modern else ALERT
    return Message(time, from_client, bytes([kind, 3, 3]) + size.to_bytes(2, "big") + filler(rng, size), pushed=True)


def _shape(stack: int) -> Shape:
    pool = shapes()
    if not 0 <= stack < len(pool):
        raise LookupError(f"unknown TLS client stack {stack}: known are 0 to {len(pool) - 1}")
    return pool[stack]


def _handshake(time: int, script: _Script, rng: np.random.Generator) -> list[Message]:
    """ClientHello; ServerHello to Finished; the client's Finished; the server's tickets or TLS 1.2 Finished, if any."""
    said = _filled(script, rng)
    answered = time + drawn(rng, *SERVER_CRYPTO_US)
    finished = answered + drawn(rng, *CLIENT_CRYPTO_US)
    flights = zip((time, answered, finished, finished), (0, *script.ends), script.ends, (True, False) * 2, strict=False)
    return [Message(when, from_client, said[begin:end]) for when, begin, end, from_client in flights]


def _filled(script: _Script, rng: np.random.Generator) -> bytes:
    """The four flights of one conversation."""
    template = script.template
    data = bytearray(template.data)
    own, bodies = fresh(rng, SESSION + script.noise), filler(rng, script.sealed)
    for place in template.sessions:
        data[place : place + SESSION] = own[:SESSION]
    taken = SESSION
    for place, size in template.noise:
        data[place : place + size] = own[taken : taken + size]
        taken += size
    for place, size, group in template.shares:
        data[place : place + size] = share(group, rng, size)
    taken = 0
    for place, size in template.sealed:
        data[place : place + size] = bodies[taken : taken + size]
        taken += size
    return bytes(data)


def _sealed(message: Message, overhead: int, rng: np.random.Generator) -> Message:
    """The message as application data records, of which only the length is the message's."""
    size = len(message.data)
    if 0 < size <= RECORD_PLAINTEXT:
        size += overhead
        said = b"\x17\x03\x03" + size.to_bytes(2, "big") + filler(rng, size)
        return Message(message.time, message.from_client, said, message.pushed)
    full, rest = divmod(size, RECORD_PLAINTEXT)
    lengths = [RECORD_PLAINTEXT + overhead] * full + ([rest + overhead] if rest else [])
    parts, bodies, place = [], filler(rng, sum(lengths)), 0
    for length in lengths:
        parts += [b"\x17\x03\x03", length.to_bytes(2, "big"), bodies[place : place + length]]
        place += length
    return Message(message.time, message.from_client, b"".join(parts), message.pushed)


@lru_cache(maxsize=16384)
def _script(stack: int, host: str, alpn: str, manner: Manner, variant: int) -> _Script:
    """What a shape and a host say to each other."""
    shape = _shape(stack)
    selected = _selected(shape, alpn)
    name = host if manner.sni is None else manner.sni
    hello = client_hello(shape, name=name, alpn=alpn, manner=manner, variant=variant)
    answer = server_hello(shape, named=is_name(name), alpn=selected, resumed=manner.resume)
    if manner.resume:
        spoken, records = shortened(shape)
        records = _resized(shape, records, host, selected)
        end = len(records) - int(shape.modern)
    else:
        spoken, records = shape.client[1:], _resized(shape, shape.server[1:], host, selected)
        end = len(records) - 2 if shape.modern else _clear_until(shape)
    server = joined([answer, *(_template(record) for record in records[:end])])
    client = joined([_template(record) for record in spoken])
    flights = hello, server, client, joined([_template(record) for record in records[end:]])
    whole = joined(flights)
    ends = tuple(accumulate(len(flight.data) for flight in flights))
    return _Script(whole, ends, *(sum(size for _, size in places) for places in (whole.noise, whole.sealed)))


def _clear_until(shape: Shape) -> int:
    """How many records follow TLS 1.2's ServerHello up to ServerHelloDone, which ends the server's first flight."""
    return next(at for at, record in enumerate(shape.server) if record.kind == HANDSHAKE and record.body[:1] == b"\x0e")


def _selected(shape: Shape, alpn: str) -> str:
    """What the server selects: the wanted protocol, if the shape speaks of ALPN at all; all speak of h2."""
    return alpn if alpn == "h2" or offered(shape.client[0]) else ""


def _resized(shape: Shape, records: tuple[Record, ...], host: str, selected: str) -> tuple[Record, ...]:
    """The server's records with EncryptedExtensions as long as the ALPN answer and Certificate as the host's chain."""
    if not shape.modern:
        return records
    encrypted, certificate, *_ = (record for record in shape.server if record.sealed)
    had, has = (_ALPN_SHARE + len(name) if name else 0 for name in (shape.selected_alpn, selected))
    digest = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big")
    longer = {id(encrypted): has - had, id(certificate): _CHAIN[0] + digest % (_CHAIN[1] - _CHAIN[0])}
    return tuple(
        Record(record.kind, record.version, b"", record.sealed + longer[id(record)]) if id(record) in longer else record
        for record in records
    )


def _template(record: Record) -> Template:
    if not record.sealed:
        return key_exchange(record)
    return Template(record.header(record.sealed) + bytes(record.sealed), sealed=((5, record.sealed),))
