"""Blocks of phones as one timeline: their tables behind each other, numbered anew, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import TypeVar

import numpy as np

from lab.behaviours import Int64, Speech
from lab.timeline import Conversations, Exchanges, Host, States, Timeline

T = TypeVar("T", Conversations, Exchanges, States)


@dataclass
class _Numbers:
    """Where the rows of the blocks so far end, and their hosts and speeches, each once."""

    devices: int = 0
    apps: int = 0
    incidents: int = 0
    conversations: int = 0
    hosts: dict[Host, int] = field(default_factory=dict)
    speeches: dict[tuple[object, ...], int] = field(default_factory=dict)
    spoken: list[Speech] = field(default_factory=list)

    def hosts_of(self, block: Timeline) -> Int64:
        """The numbers of a block's hosts."""
        return np.array([self.hosts.setdefault(one, len(self.hosts)) for one in block.hosts], dtype=np.int64)

    def speeches_of(self, block: Timeline) -> Int64:
        """The numbers of a block's speeches."""
        found = []
        for one in block.speeches:
            key = (one.protocol, one.tls, one.port, *sorted(one.options.items()))
            found.append(self.speeches.setdefault(key, len(self.speeches)))
            self.spoken += [one] if found[-1] == len(self.spoken) else []
        return np.array(found, dtype=np.int64)

    def count(self, block: Timeline) -> None:
        """Adds a block's rows."""
        self.devices += len(block.devices)
        self.apps += len(block.apps)
        self.incidents += len(block.incidents)
        self.conversations += len(block.conversations.start)


def joined(blocks: Sequence[Timeline]) -> Timeline:
    """The timeline of all phones; what began at the same moment stands in the order of the blocks."""
    if len(blocks) == 1:
        return blocks[0]
    numbers, made = _Numbers(), []
    for block in blocks:
        made.append(_numbered(block, numbers))
        numbers.count(block)
    conversations, exchanges = _in_order(
        _beside(Conversations, [one.conversations for one in made]), _beside(Exchanges, [one.exchanges for one in made])
    )
    return replace(
        blocks[0],
        devices=tuple(chain.from_iterable(one.devices for one in made)),
        apps=tuple(chain.from_iterable(one.apps for one in made)),
        hosts=tuple(numbers.hosts),
        speeches=tuple(numbers.spoken),
        incidents=tuple(chain.from_iterable(one.incidents for one in made)),
        conversations=conversations,
        exchanges=exchanges,
        states=_beside(States, [one.states for one in made]),
        listeners=tuple(chain.from_iterable(one.listeners for one in made)),
    )


def _numbered(block: Timeline, before: _Numbers) -> Timeline:
    """A block whose rows are counted behind those before it."""
    said, states = block.conversations, block.states
    tunnel = np.where(said.tunnel < 0, said.tunnel, said.tunnel + before.conversations).astype(np.int32)
    conversations = replace(
        said,
        app=(said.app + before.apps).astype(np.int32),
        host=before.hosts_of(block)[said.host].astype(np.int32),
        speech=before.speeches_of(block)[said.speech].astype(np.int32),
        incident=np.where(said.incident < 0, said.incident, said.incident + before.incidents).astype(np.int32),
        tunnel=tunnel,
    )
    x = block.exchanges
    front = np.where(states.foreground < 0, states.foreground, states.foreground + before.apps)
    return replace(
        block,
        apps=tuple(replace(one, device=one.device + before.devices) for one in block.apps),
        incidents=tuple(replace(one, app=one.app + before.apps) for one in block.incidents),
        listeners=tuple(replace(one, app=one.app + before.apps) for one in block.listeners),
        conversations=conversations,
        exchanges=replace(x, conversation=(x.conversation + before.conversations).astype(np.int32)),
        states=replace(
            states,
            device=(states.device + before.devices).astype(np.int32),
            foreground=front.astype(states.foreground.dtype),
        ),
    )


def _in_order(said: Conversations, words: Exchanges) -> tuple[Conversations, Exchanges]:
    """Conversations by their start, what is said by theirs."""
    order = np.argsort(said.start, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    conversation = rank[words.conversation]
    sort = np.argsort(conversation, kind="stable")
    made = Conversations(**{name: column[order] if len(column) else column for name, column in vars(said).items()})
    tunnel = np.where(made.tunnel < 0, made.tunnel, rank[np.maximum(made.tunnel, 0)]) if len(rank) else made.tunnel
    spoken = {name: column[sort] for name, column in vars(words).items()}
    return replace(made, tunnel=tunnel.astype(np.int32)), Exchanges(**{**spoken, "conversation": conversation[sort]})


def _beside(kind: type[T], parts: Sequence[T]) -> T:
    """The parts of a table behind each other."""
    return kind(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(kind)))
