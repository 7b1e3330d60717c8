"""DNS over TCP (RFC 7766): the messages of ``dns``, each behind its length; under TLS it is DNS over TLS (RFC 7858)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges
from lab.protocols.dns import lookup

TRANSPORT = "tcp"

_LENGTH = 2  # RFC 1035 section 4.2.2
_LARGEST = 0xFFFF


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """One question and one answer per exchange, as many as there are on one connection, in order.

    ``up`` and ``down`` include the two bytes of length; both 0 ask for ``host`` itself. Options are those of ``dns``;
    an answer may be as long as its length can say. ValueError as ``dns`` has it.
    """
    for time, up, down, delay in exchanges(dialogue):
        question, answer = lookup(dialogue, _inside(up), min(_inside(down), _LARGEST))
        yield Message(time, from_client=True, data=_framed(question))
        yield Message(time + delay, from_client=False, data=_framed(answer))


def _inside(size: int) -> int:
    return max(1, size - _LENGTH) if size else 0


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(_LENGTH, "big") + message
