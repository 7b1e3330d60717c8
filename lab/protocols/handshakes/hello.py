"""ClientHello, ServerHello and TLS 1.2 key exchange messages as templates: bytes, and where a conversation differs.

Every length field follows from re-assembly, none is patched by arithmetic. RFC 8446 section 4.1, RFC 6066 section 3
(SNI), RFC 7301 (ALPN), RFC 7685 (padding), RFC 8422 (TLS 1.2 key exchange), RFC 9849 (ECH).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lab.protocols.handshakes import Manner, Record, Shape
from lab.protocols.handshakes.keys import drawn_like_noise
from lab.protocols.handshakes.resumption import PSK, SESSION, TICKET, asking, granting
from lab.protocols.handshakes.variant import ECH, Extensions, permuted, regreased, with_ech

SERVER_NAME, ALPN, PADDING, KEY_SHARE = 0, 16, 21, 51
_H2 = "h2"  # RFC 9113 section 3.2: over TLS by ALPN only
_SIGNATURE_ALGORITHMS = 13
_OF_ALPN = frozenset({ALPN, 17513, 17613})  # Chrome's application settings go where ALPN goes
_PADDED_FROM, _PADDED_TO = 256, 512  # RFC 7685 section 4: sizes some servers hung on
_DOWNGRADE = b"DOWNGRD"  # RFC 8446 section 4.1.3: a TLS 1.3 server's mark on a TLS 1.2 random
_SERVER_KEY_EXCHANGE, _CLIENT_KEY_EXCHANGE, _NEW_TICKET, _CERTIFICATE = 12, 16, 4, 11
_GREASE = 0x0F0F, 0x0A0A  # mask and value, RFC 8701


@dataclass(frozen=True)
class Template:
    """Bytes of one or more records, and where each conversation has its own: (offset, length) and what goes there."""

    data: bytes
    noise: tuple[tuple[int, int], ...] = ()  # any bytes will do, if nobody else has them
    shares: tuple[tuple[int, int, int], ...] = ()  # with the group: a valid public key
    sessions: tuple[int, ...] = ()  # where the 32-byte session id stands, unless it is empty
    sealed: tuple[tuple[int, int], ...] = ()  # any bytes will do


class _Hello(NamedTuple):
    """A ClientHello or ServerHello taken apart; ``middle`` stands between the session id and the extensions."""

    version: bytes
    random: bytes
    session: bytes
    middle: bytes
    extensions: Extensions


class _Writer:
    """Collects a message and remembers where it differs between conversations."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.noise: list[tuple[int, int]] = []
        self.shares: list[tuple[int, int, int]] = []

    def put(self, data: bytes, *, noise: bool = False) -> None:
        if noise:
            self.noise.append((len(self.data), len(data)))
        self.data += data

    def put_share(self, group: int, data: bytes) -> None:
        if drawn_like_noise(group):
            self.put(data, noise=True)
            return
        if group & _GREASE[0] != _GREASE[1]:
            self.shares.append((len(self.data), len(data), group))
        self.data += data

    def put_extensions(self, extensions: Extensions) -> None:
        self.put(_sized(b"".join(_extension(kind, data) for kind, data in extensions), 2)[:2])
        for kind, data in extensions:
            self.put(kind.to_bytes(2, "big") + len(data).to_bytes(2, "big"))
            _put_extension(self, kind, data)

    def finish(self, record: Record, sessions: tuple[int, ...]) -> Template:
        """As a record: header in front, places moved behind it."""
        body = Template(bytes(self.data), tuple(self.noise), tuple(self.shares), sessions)
        return joined([Template(record.header(len(self.data))), body])


def client_hello(shape: Shape, *, name: str, alpn: str, manner: Manner, variant: int) -> Template:
    """The recorded ClientHello for another server and application protocol, in one of the ways its stack draws.

    ``name`` goes into SNI, an address or "" leaves it out. ``alpn`` that the shape offers leaves its list as recorded;
    another name replaces the list and "" removes the extension; h2 is offered by all. Of ``manner`` the name is not
    read. Shapes that pad fill hellos of 256 to 511 bytes to 512, with what a PSK will take.
    """
    hello = _parse(shape.client[0].body, client=True)
    rng = np.random.default_rng([variant, *shape.name.encode()])
    changed = [(kind, data) for kind, data in _with_alpn(hello.extensions, alpn) if kind != PADDING]
    changed = _with_name(changed, name)
    middle = hello.middle
    if manner.ech or (shape.permutes and any(kind == ECH for kind, _ in changed)):
        changed = with_ech(changed, rng)
    if shape.permutes:
        middle, changed = regreased(middle, permuted(changed, rng), rng)
    offered = asking(shape, changed) if manner.resume else changed
    session = bytes(SESSION) if manner.resume and not shape.modern else hello.session
    hello = hello._replace(session=session, middle=middle, extensions=offered)
    if shape.pads:
        at = len(offered) - (offered[-1][0] == PSK)
        hello = hello._replace(extensions=[*offered[:at], *_padding(4 + _size(hello)), *offered[at:]])
    return _hello(shape.client[0], hello)


def server_hello(shape: Shape, *, named: bool, alpn: str, resumed: bool) -> Template:
    """The recorded ServerHello; SNI and ALPN answers go where the client no longer asked. The session id is a hole."""
    hello = _parse(shape.server[0].body, client=False)
    kept = [(kind, data) for kind, data in hello.extensions if kind != SERVER_NAME or (named and not resumed)]
    if not shape.modern:
        kept = _with_alpn(kept, alpn)
    if resumed:
        kept = granting(shape, kept)
        hello = hello._replace(session=hello.session if shape.modern else bytes(SESSION))
    return _hello(shape.server[0], hello._replace(extensions=kept))


def key_exchange(record: Record) -> Template:
    """A clear TLS 1.2 record behind the hellos: public keys, signatures and tickets become holes; others stay."""
    writer = _Writer()
    kind, body = record.body[0], record.body
    if record.kind == 22 and kind == _SERVER_KEY_EXCHANGE:
        group, size = int.from_bytes(body[5:7], "big"), body[7]
        writer.put(body[:8])
        writer.put_share(group, body[8 : 8 + size])
        writer.put(body[8 + size : 12 + size])
        writer.put(body[12 + size :], noise=True)
    elif record.kind == 22 and kind == _CLIENT_KEY_EXCHANGE:
        writer.put(body[:5])
        writer.put_share(0x001D if len(body) == 37 else 0x0017, body[5:])
    elif record.kind == 22 and kind == _NEW_TICKET:
        writer.put(body[:10])
        writer.put(body[10:], noise=True)
    else:
        writer.put(body)
    return writer.finish(record, ())


def joined(templates: Iterable[Template]) -> Template:
    """One template of several, one behind the other."""
    data, noise, shares, sessions, sealed = b"", [], [], [], []
    for template in templates:
        at = len(data)
        noise += [(place + at, size) for place, size in template.noise]
        shares += [(place + at, size, group) for place, size, group in template.shares]
        sessions += [place + at for place in template.sessions]
        sealed += [(place + at, size) for place, size in template.sealed]
        data += template.data
    return Template(data, tuple(noise), tuple(shares), tuple(sessions), tuple(sealed))


def is_name(host: str) -> bool:
    """Whether a host is a name, hence goes into SNI, rather than an address (RFC 6066 section 3)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False


def offered(record: Record) -> list[str]:
    """The ALPN list of a recorded ClientHello; empty where it has none."""
    data = dict(_parse(record.body, client=True).extensions).get(ALPN, b"\0\0")
    names, place = [], 2
    while place < len(data):
        names.append(data[place + 1 : place + 1 + data[place]].decode("ascii"))
        place += 1 + data[place]
    return names


def likeness(record: Record, *, alpn: bool) -> tuple[object, ...]:
    """What JA4 (FoxIO) makes of a recorded ClientHello, unhashed: equal for shapes that a sensor cannot tell apart.

    Suites and extension types without GREASE and in no order, signature algorithms in theirs; SNI and ALPN apart.
    Without ``alpn`` what goes where ALPN goes is gone, too.
    """
    hello = _parse(record.body, client=True)
    count = int.from_bytes(hello.middle[:2], "big")
    suites = [int.from_bytes(hello.middle[at : at + 2], "big") for at in range(2, 2 + count, 2)]
    kinds = {kind for kind, _ in hello.extensions} - {SERVER_NAME, ALPN, PADDING}
    kinds -= set() if alpn else _OF_ALPN
    real = [tuple(sorted(x for x in some if x & _GREASE[0] != _GREASE[1])) for some in (suites, kinds)]
    return (*real, dict(hello.extensions).get(_SIGNATURE_ALGORITHMS))


def _size(hello: _Hello) -> int:
    fixed = len(hello.version) + len(hello.random) + 1 + len(hello.session) + len(hello.middle) + 2
    return fixed + sum(4 + len(data) for _, data in hello.extensions)


def _hello(record: Record, hello: _Hello) -> Template:
    writer = _Writer()
    writer.put(record.body[:1] + _size(hello).to_bytes(3, "big") + hello.version)
    drawn = 24 if _DOWNGRADE in hello.random else 32
    writer.put(hello.random[:drawn], noise=True)
    writer.put(hello.random[drawn:] + bytes([len(hello.session)]))
    sessions = (len(writer.data),) if hello.session else ()
    writer.put(hello.session + hello.middle)
    writer.put_extensions(hello.extensions)
    return writer.finish(record, sessions)


def _parse(body: bytes, *, client: bool) -> _Hello:
    place = 39 + body[38]
    session, start = body[39:place], place
    if client:
        place += 2 + int.from_bytes(body[place : place + 2], "big")
        place += 1 + body[place]
    else:
        place += 3
    middle, place = body[start:place], place + 2
    extensions: Extensions = []
    while place < len(body):
        kind, size = (int.from_bytes(body[at : at + 2], "big") for at in (place, place + 2))
        extensions.append((kind, body[place + 4 : place + 4 + size]))
        place += 4 + size
    return _Hello(body[4:6], body[6:38], session, middle, extensions)


def _with_name(extensions: Extensions, host: str) -> Extensions:
    if not is_name(host):
        return [(kind, data) for kind, data in extensions if kind != SERVER_NAME]
    name = _sized(b"\0" + _sized(host.encode("ascii"), 2), 2)
    return [(kind, name if kind == SERVER_NAME else data) for kind, data in extensions]


def _with_alpn(extensions: Extensions, alpn: str) -> Extensions:
    recorded = dict(extensions).get(ALPN)
    if recorded is None and alpn == _H2:
        return [*extensions, (ALPN, _sized(_sized(alpn.encode("ascii"), 1), 2))]
    if recorded is None or (alpn and _sized(alpn.encode("ascii"), 1) in recorded):
        return extensions
    names = _sized(_sized(alpn.encode("ascii"), 1), 2)
    return [(kind, names if kind == ALPN else data) for kind, data in extensions if alpn or kind not in _OF_ALPN]


def _padding(unpadded: int) -> Extensions:
    if not _PADDED_FROM <= unpadded < _PADDED_TO:
        return []
    return [(PADDING, bytes(max(1, _PADDED_TO - unpadded - 4)))]


def _put_extension(writer: _Writer, kind: int, data: bytes) -> None:
    if kind == KEY_SHARE:
        _put_shares(writer, data)
    elif kind == ECH and len(data) > 8:
        encapsulated = int.from_bytes(data[6:8], "big")
        writer.put(data[:5])
        writer.put(data[5:6], noise=True)
        writer.put(data[6:8])
        writer.put(data[8 : 8 + encapsulated], noise=True)
        writer.put(data[8 + encapsulated : 10 + encapsulated])
        writer.put(data[10 + encapsulated :], noise=True)
    elif kind == PSK and len(data) > 2:
        _put_psk(writer, data)
    elif kind == TICKET:
        writer.put(data, noise=True)
    else:
        writer.put(data)


def _put_psk(writer: _Writer, data: bytes) -> None:
    """One identity with its age, one binder."""
    size = int.from_bytes(data[2:4], "big")
    writer.put(data[:4])
    writer.put(data[4 : 8 + size], noise=True)
    writer.put(data[8 + size : 11 + size])
    writer.put(data[11 + size :], noise=True)


def _put_shares(writer: _Writer, data: bytes) -> None:
    """A client's list of shares, or a server's single one."""
    single = int.from_bytes(data[:2], "big") != len(data) - 2
    place = 0 if single else 2
    writer.put(data[:place])
    while place < len(data):
        group, size = (int.from_bytes(data[at : at + 2], "big") for at in (place, place + 2))
        writer.put(data[place : place + 4])
        writer.put_share(group, data[place + 4 : place + 4 + size])
        place += 4 + size


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _sized(data, 2)


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data
