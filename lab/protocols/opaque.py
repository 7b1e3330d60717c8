"""Opaque bytes over TCP: exchanges of filler without any framing, as a private protocol looks from outside."""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges, filler

TRANSPORT = "tcp"


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Each exchange as exactly ``up`` bytes from the client and ``down`` from the server; 0 bytes is no message."""
    for time, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(time, from_client=True, data=filler(dialogue.rng, up))
        if down:
            yield Message(time + delay, from_client=False, data=filler(dialogue.rng, down), pushed=not up)
