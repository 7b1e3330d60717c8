"""What a resumed TLS session says instead of certificates: pre-shared keys, tickets and session ids.

RFC 8446 sections 2.2 and 4.2.11 (TLS 1.3: PSK with a key exchange, no early data), RFC 5077 section 3.1 and RFC 5246
section 7.3 (TLS 1.2: an abbreviated handshake). Tickets and binders are holes: nobody can check them without a key.
"""

from __future__ import annotations

from lab.protocols.handshakes import HANDSHAKE, Record, Shape
from lab.protocols.handshakes.variant import Extensions

TICKET, PSK, PSK_MODES = 35, 41, 45
SESSION = 32  # bytes of a session id, RFC 8446 appendix D.4
_FINISHED_12 = 2  # ChangeCipherSpec and Finished
_NEW_TICKET = 4
_FRAME_13 = 1 + 16 + 4 + 4 + 4 + 1 + 8 + 2 + 2  # content type, tag, header, lifetime, age, nonce of 8, two lengths
_FRAME_12 = 4 + 4 + 2  # header, lifetime, length


def asking(shape: Shape, extensions: Extensions) -> Extensions:
    """A hello's extensions with the session offered: PSK as the last one, or a ticket where the shape keeps tickets."""
    size = _ticket(shape)
    if not shape.modern:
        return [(kind, bytes(size) if kind == TICKET else data) for kind, data in extensions]
    modes = [] if any(kind == PSK_MODES for kind, _ in extensions) else [(PSK_MODES, b"\x01\x01")]
    binder = _sized(bytes(48 if "SHA384" in shape.cipher else 32), 1)
    return [*extensions, *modes, (PSK, _sized(_sized(bytes(size), 2) + bytes(4), 2) + _sized(binder, 2))]


def granting(shape: Shape, extensions: Extensions) -> Extensions:
    """A server's answer: the first PSK is taken; a TLS 1.2 server promises no new ticket."""
    if shape.modern:
        return [*extensions, (PSK, b"\0\0")]
    return [(kind, data) for kind, data in extensions if kind != TICKET]


def shortened(shape: Shape) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """What client and server say behind their hellos: in TLS 1.3 (with one new ticket), and in TLS 1.2."""
    if not shape.modern:
        return shape.client[-_FINISHED_12:], shape.server[-_FINISHED_12:]
    clear = tuple(record for record in shape.server[1:] if not record.sealed)
    encrypted, _, _, finished, ticket, *_ = (record for record in shape.server if record.sealed)
    return shape.client[1:], (*clear, encrypted, finished, ticket)


def _ticket(shape: Shape) -> int:
    """Bytes of the ticket that the recorded server gives; without one in TLS 1.2 the session id says it all."""
    if shape.modern:
        return shape.server[-1].sealed - _FRAME_13
    found = [record for record in shape.server if record.kind == HANDSHAKE and record.body[:1] == bytes([_NEW_TICKET])]
    return len(found[0].body) - _FRAME_12 if found else 0


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data
