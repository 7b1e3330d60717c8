"""HTTP/2 (RFC 9113): one connection, a stream per exchange, with the settings and windows of OkHttp, Chrome and nginx.

Header blocks are hpack's (RFC 7541, the library under h2, which tests read every connection with). What clients and
nginx announce is from memory of their sources and published HTTP/2 fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from hpack import Encoder

from lab.protocols import Dialogue, Message, drawn, exchanges, filler, filler_text, fresh
from lab.protocols.http import BODILESS, authority, content_type, method_of

TRANSPORT = "tcp"

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 section 3.4
HEADER = 9  # bytes of a frame header, section 4.1
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8  # frame types, section 6
END_STREAM = ACK = 1
END_HEADERS, PRIORITY = 4, 0x20
_PING_SIZE = HEADER + 8
_UPDATE_SIZE = HEADER + 4
_LARGEST, _NGINX_CHUNK = 1 << 14, 1 << 13  # SETTINGS_MAX_FRAME_SIZE's default; nginx's http2_chunk_size
_WINDOW = (1 << 16) - 1  # what a side may send before the other has said more, section 6.9.2
_GRANTED = (1 << 31) - 1 - (1 << 16)  # nginx: as much as a window holds
_LONGEST_TARGET = 4096  # as in http.py
_CHROME_WEIGHT = b"\x80\0\0\0\xff"  # exclusive, on stream 0, weight 256
_AT_RISK_US = 10_000_000  # Chrome pings before it uses a connection that was silent so long
_SETTINGS_US = (300, 2_000)  # a server's reaction to the preface
_AT_ONCE_US = 100_000  # a first request due so soon leaves with the preface
_STATUS_200, _STATUS_204 = b"\x88", b"\x89"  # of HPACK's static table
_GRPC = (("content-type", "application/grpc"), ("te", "trailers"))


@dataclass(frozen=True)
class Client:
    """What an HTTP/2 stack says about itself: settings, connection window, order of pseudo headers, first stream."""

    settings: tuple[tuple[int, int], ...]
    window: int  # bytes of the connection
    stream_window: int
    order: str
    first_stream: int
    weight: bytes = b""
    pings_idle: bool = False


OKHTTP = Client(((4, 1 << 24),), 1 << 24, 1 << 24, "mpas", 3)
CHROME = Client(
    ((1, 65_536), (2, 0), (4, 6_291_456), (6, 262_144)),
    15_728_640,
    6_291_456,
    "masp",
    1,
    _CHROME_WEIGHT,
    pings_idle=True,
)
_NGINX = ((3, 128), (4, 1 << 16), (5, (1 << 24) - 1))


@dataclass
class Session:
    """Both ends of one connection: header tables, the latest stream, what the client has read and not yet granted."""

    client: Client
    asks: Encoder = field(default_factory=Encoder)
    answers: Encoder = field(default_factory=Encoder)
    stream: int = 0
    held: int = 0  # of the latest stream
    unread: int = 0  # of the connection

    def next_stream(self) -> int:
        """The identifier of the client's next stream: odd, ascending."""
        self.stream = self.stream + 2 if self.stream else self.client.first_stream
        self.held = 0
        return self.stream


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """The preface when the conversation opens, then a stream per exchange of ``up`` and ``down`` bytes of frames.

    Options: ``method``, ``path``, ``content_type`` and ``host`` as in http.py; ``stream`` "1": one POST stream stays
    open as gRPC's do and exchanges are DATA frames in it, also one-way. Otherwise ``up`` = 0 is the smallest request
    and ``down`` = 0 a 204. Sizes are met to the byte where they exceed the headers, but for the 9 bytes of a frame that
    would be empty. At most 17 bytes both ways are a PING and its answer. A client whose agent names Chrome, Mozilla or
    Cronet speaks as Chrome, any other as OkHttp. Nothing is said without an exchange and a ``start``.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    session = Session(client_of(dialogue.agent))
    talk = (_streamed if dialogue.options.get("stream") == "1" else _talk)(dialogue, session)
    yield from opened(dialogue, session, talk)


def client_of(agent: str) -> Client:
    """Whose stack an agent is."""
    return CHROME if any(word in agent for word in ("Chrome", "Mozilla", "Cronet")) else OKHTTP


def opened(dialogue: Dialogue, session: Session, talk: Iterator[Message]) -> Iterator[Message]:
    """The messages behind preface and settings of both sides; a first request that is due at once leaves with them."""
    preface = PREFACE + _settings(session.client.settings) + update(0, session.client.window - _WINDOW)
    first = next(talk, None)
    began = dialogue.opened
    joined = first is not None and first.from_client and first.time <= began + _AT_ONCE_US
    if first is not None and joined:
        began, preface = first.time, preface + first.data
    yield Message(began, True, preface)
    ready = began + drawn(dialogue.rng, *_SETTINGS_US)
    yield Message(ready, False, _settings(_NGINX) + frame(SETTINGS, ACK, 0) + update(0, _GRANTED))
    yield Message(ready, True, frame(SETTINGS, ACK, 0))
    rest = talk if first is None or joined else chain([first], talk)
    for message in rest:
        yield message if message.time >= ready else Message(ready, message.from_client, message.data, message.pushed)


def _talk(dialogue: Dialogue, session: Session) -> Iterator[Message]:
    last = dialogue.opened
    for time, up, down, delay in exchanges(dialogue):
        pings = b""
        if session.client.pings_idle and time - last >= _AT_RISK_US:
            pings = fresh(dialogue.rng, 8)
        last = time + delay
        if 0 < max(up, down) <= _PING_SIZE:
            yield from _beat(dialogue, time, delay, from_client=bool(up))
            continue
        yield from _asked(dialogue, session, time, up - (_PING_SIZE if pings else 0), pings)
        answer = frame(PING, ACK, 0, pings) if pings else b""
        yield from _answered(dialogue, session, time + delay, down - len(answer), answer)


def _beat(dialogue: Dialogue, time: int, delay: int, *, from_client: bool) -> Iterator[Message]:
    data = fresh(dialogue.rng, 8)
    asked = time if from_client else time + delay
    yield Message(asked, from_client, frame(PING, 0, 0, data), pushed=not from_client)
    yield Message(time + delay, not from_client, frame(PING, ACK, 0, data))


def _asked(dialogue: Dialogue, session: Session, time: int, up: int, pings: bytes) -> Iterator[Message]:
    """A request; what a fresh stream's window does not hold waits until the server has widened it."""
    method, path = method_of(dialogue, up), dialogue.options.get("path", "/").encode("ascii")
    stream, before = session.next_stream(), frame(PING, 0, 0, pings) if pings else b""
    if method in BODILESS:
        head = request(dialogue, session, method)
        path = _grown(dialogue, path, up - len(head.frame(stream, path, END_STREAM)))
        yield Message(time, True, before + head.frame(stream, path, END_STREAM))
        return
    head = request(dialogue, session, method, (("content-type", content_type(dialogue)),))
    length, room = _content_length(up - len(head.frame(stream, path, 0)), _LARGEST)
    frames = body(dialogue, stream, room, _LARGEST)
    said = head.frame(stream, path, 0 if frames else END_STREAM, length)
    fits = _WINDOW // _LARGEST
    yield Message(time, True, before + said + b"".join(frames[:fits]))
    if frames[fits:]:
        yield Message(time, False, update(stream, _GRANTED))
        yield Message(time, True, b"".join(frames[fits:]))


def _answered(dialogue: Dialogue, session: Session, time: int, down: int, before: bytes) -> Iterator[Message]:
    if down <= 0:
        block = _STATUS_204 + session.answers.encode([("server", "nginx")])
        yield Message(time, False, before + frame(HEADERS, END_HEADERS | END_STREAM, session.stream, block))
        return
    block = _STATUS_200 + session.answers.encode([("server", "nginx"), ("content-type", content_type(dialogue))])
    length, room = _content_length(down - HEADER - len(block), _NGINX_CHUNK)
    bodiless = dialogue.options.get("method", "").upper() == "HEAD"
    frames = [] if bodiless else body(dialogue, session.stream, room, _NGINX_CHUNK)
    said = frame(HEADERS, END_HEADERS | (0 if frames else END_STREAM), session.stream, block + length)
    yield from _read(session, time, before + said, frames)


def _read(
    session: Session, time: int, said: bytes, frames: list[bytes], *, ends: bool = True, pushed: bool = False
) -> Iterator[Message]:
    """What the server says in one go, and the windows the client widens when half of one is used up."""
    parts, stream_half, half = [said], session.client.stream_window // 2, session.client.window // 2
    for index, one in enumerate(frames):
        parts.append(one)
        session.held += len(one) - HEADER
        session.unread += len(one) - HEADER
        grants = b""
        if session.held >= stream_half and not (ends and index + 1 == len(frames)):
            grants, session.held = update(session.stream, session.held), 0
        if session.unread >= half:
            grants, session.unread = grants + update(0, session.unread), 0
        if grants:
            yield Message(time, False, b"".join(parts), pushed)
            yield Message(time, True, grants)
            parts = []
    if parts:
        yield Message(time, False, b"".join(parts), pushed)


def _streamed(dialogue: Dialogue, session: Session) -> Iterator[Message]:
    """One stream that both sides keep open; the client widens windows as it reads."""
    stream, time = session.next_stream(), dialogue.opened
    path = dialogue.options.get("path", "/").encode("ascii")
    yield Message(time, True, request(dialogue, session, "POST", _GRPC).frame(stream, path, 0))
    block = _STATUS_200 + session.answers.encode([("content-type", "application/grpc")])
    yield Message(time, False, frame(HEADERS, END_HEADERS, stream, block) + update(stream, _GRANTED))
    for at, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(at, True, b"".join(body(dialogue, stream, max(up, HEADER + 1), _LARGEST, flags=0)))
        if down:
            frames = body(dialogue, stream, max(down, HEADER + 1), _NGINX_CHUNK, flags=0)
            yield from _read(session, at + delay, b"", frames, ends=False, pushed=not up)


@dataclass(frozen=True)
class Head:
    """The header block of a request but for its path: what stands before and behind it."""

    weight: bytes
    fore: bytes
    aft: bytes

    def frame(self, stream: int, path: bytes, flags: int, more: bytes = b"") -> bytes:
        """The HEADERS frame with a path, as a literal without indexing or Huffman code (RFC 7541 section 6.2.2)."""
        block = self.weight + self.fore + b"\x04" + _length(len(path)) + path + self.aft + more
        return frame(HEADERS, flags | END_HEADERS | (PRIORITY if self.weight else 0), stream, block)


def request(dialogue: Dialogue, session: Session, method: str, extra: tuple[tuple[str, str], ...] = ()) -> Head:
    """The head of the session's next request; pseudo headers in the client's order. To be asked for once a request."""
    scheme = "http" if dialogue.port == 80 else "https"
    pseudo = {"m": (":method", method), "a": (":authority", authority(dialogue)), "s": (":scheme", scheme)}
    before, _, after = session.client.order.partition("p")
    fore = session.asks.encode([pseudo[letter] for letter in before])
    plain = (("accept", "*/*"), ("accept-encoding", "gzip"), ("user-agent", dialogue.agent))
    return Head(
        session.client.weight, fore, session.asks.encode([*(pseudo[letter] for letter in after), *extra, *plain])
    )


def _grown(dialogue: Dialogue, path: bytes, more: int) -> bytes:
    """The path with a query that makes it, its length field included, ``more`` bytes longer, or one less."""
    query = min(more, _LONGEST_TARGET - len(path)) - (len(_length(len(path) + max(more, 0))) - len(_length(len(path))))
    return path if query <= len(b"?q=") else path + b"?q=" + filler_text(dialogue.rng, query - len(b"?q="))


def body(dialogue: Dialogue, stream: int, size: int, largest: int, *, flags: int = END_STREAM) -> list[bytes]:
    """DATA frames of ``size`` bytes, headers included, the last one with ``flags``; none below 9 bytes.

    The last may be empty, as where a stack learns late that nothing follows.
    """
    if size < HEADER:
        return [frame(DATA, flags, stream)] if flags else []
    count = -(-size // (HEADER + largest))
    left, frames = size - count * HEADER, []
    for index in range(count):
        piece = min(left, largest)
        left -= piece
        frames.append(frame(DATA, flags if index + 1 == count else 0, stream, filler(dialogue.rng, piece)))
    return frames


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame, section 4.1.

    >>> frame(SETTINGS, ACK, 0).hex()
    '000000040100000000'
    """
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def update(stream: int, more: int) -> bytes:
    """A WINDOW_UPDATE frame, section 6.9."""
    return frame(WINDOW_UPDATE, 0, stream, more.to_bytes(4, "big"))


def _settings(rows: tuple[tuple[int, int], ...]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in rows))


def _content_length(room: int, largest: int) -> tuple[bytes, int]:
    """content-length as a literal without indexing, and what it leaves of ``room`` to the DATA frames it counts."""
    left, size = 0, 0
    for width in range(1, 10):
        left = max(0, room - 3 - width)
        size = max(0, left - HEADER * -(-left // (HEADER + largest)))
        if len(str(size)) <= width:
            break
    return b"\x0f\x0d" + _length(len(str(size))) + str(size).encode(), left


def _length(value: int) -> bytes:
    """An integer with a prefix of seven bits, RFC 7541 section 5.1."""
    if value < 0x7F:
        return bytes([value])
    rest, found = value - 0x7F, bytearray([0x7F])
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])
