"""What stands in conversations of a class, as bytes: their first words, and those of an exchange later on."""

from __future__ import annotations

from functools import lru_cache

from lab.protocols import Message
from lab.stages.flows.classes import Class
from lab.stages.flows.probes import said


@lru_cache(maxsize=8192)
def opening(kind: Class, up: int, down: int) -> tuple[bytes, bytes]:
    """What client and server say first: the set-up, and one exchange of these sizes."""
    return _by_side(first_words(kind, up, down))


def first_words(kind: Class, up: int, down: int) -> list[Message]:
    """The set-up, and one exchange of these sizes."""
    return [one for part in said(kind, [(up, down)]) for one in part]


@lru_cache(maxsize=4096)
def later_words(kind: Class, up: int, down: int) -> tuple[bytes, bytes]:
    """What client and server say in an exchange of these sizes that is not the first."""
    return _by_side(said(kind, [(up, down)] * 2)[2])


def _by_side(messages: list[Message]) -> tuple[bytes, bytes]:
    up, down = (b"".join(one.data for one in messages if one.from_client == side) for side in (True, False))
    return up, down
