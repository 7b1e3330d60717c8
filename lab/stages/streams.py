"""HTTP/2 streams read from the plain messages of a connection: who asked what, how it was answered, in how many bytes.

RFC 9113 frames and RFC 7541 header blocks as a proxy reads them. No times here: places of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hpack import Decoder

from lab.protocols import Message
from lab.protocols.http2 import DATA, HEADER, HEADERS, PREFACE, PRIORITY

_PADDED = 8  # flag, RFC 9113 section 6.2


@dataclass
class Stream:
    """One request and its answer: places of its first and last message, bytes of HEADERS and DATA frames."""

    first: int
    last: int
    up: int = 0
    down: int = 0
    asked: dict[str, str] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)


def streams(messages: Iterable[Message]) -> list[Stream]:
    """The streams of one connection in the order opened; ``messages`` begin with the client's preface."""
    found: dict[int, Stream] = {}
    decoders, kept = {True: Decoder(), False: Decoder()}, {True: b"", False: b""}
    for place, message in enumerate(messages):
        side = message.from_client
        data = kept[side] + message.data
        if side and data.startswith(PREFACE):
            data = data[len(PREFACE) :]
        at = 0
        for kind, flags, number, payload in _frames(data):
            at += HEADER + len(payload)
            if kind not in {HEADERS, DATA}:
                continue
            stream = found.setdefault(number, Stream(place, place))
            stream.last = place
            if side:
                stream.up += HEADER + len(payload)
            else:
                stream.down += HEADER + len(payload)
            if kind == HEADERS:
                _note(stream.asked if side else stream.answered, decoders[side], _block(flags, payload))
        kept[side] = data[at:]
    return list(found.values())


def _frames(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, stream, payload) of every whole frame."""
    at = 0
    while at + HEADER <= len(data):
        end = at + HEADER + int.from_bytes(data[at : at + 3], "big")
        if end > len(data):
            return
        yield data[at + 3], data[at + 4], int.from_bytes(data[at + 5 : at + 9], "big"), data[at + HEADER : end]
        at = end


def _block(flags: int, payload: bytes) -> bytes:
    begin, end = 0, len(payload)
    if flags & _PADDED:
        begin, end = 1, end - payload[0]
    return payload[begin + (5 if flags & PRIORITY else 0) : end]


def _note(headers: dict[str, str], decoder: Decoder, block: bytes) -> None:
    """The first value of each field; trailers change nothing that is known."""
    for name, value in decoder.decode(block):
        headers.setdefault(_text(name), _text(value))


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
