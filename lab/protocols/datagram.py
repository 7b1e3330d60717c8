"""Opaque bytes over UDP: exchanges of filler in datagrams that fit every path, as calls and tunnels look."""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges, filler

TRANSPORT = "udp"

LARGEST = 1400  # bytes; leaves room for IPv6, UDP and an outer tunnel within 1500


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Each exchange as exactly ``up`` and ``down`` bytes, in as many datagrams as 1400 bytes each make."""
    for time, up, down, delay in exchanges(dialogue):
        for size in _cut(up):
            yield Message(time, from_client=True, data=filler(dialogue.rng, size))
        for size in _cut(down):
            yield Message(time + delay, from_client=False, data=filler(dialogue.rng, size), pushed=not up)


def _cut(size: int) -> list[int]:
    return [LARGEST] * (size // LARGEST) + ([size % LARGEST] if size % LARGEST else [])
