"""A slice of a timeline put into words: each conversation's protocol messages, under TLS or not, placed in time.

The only per-message Python loop of the wire stage. Bytes depend on a conversation's own seed, never on the order of
work. What mitmproxy would read is noted here, where the plain text passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Protocol

import numpy as np

from lab.behaviours import Speech
from lab.errors import StageError
from lab.protocols import Dialogue, Message
from lab.protocols.handshakes import Manner
from lab.protocols.handshakes.variant import VARIANTS
from lab.protocols.tls import able, closing, wrap
from lab.stages.addresses import text_of
from lab.stages.causality import Course, Said, place
from lab.stages.link import ALIGN, Bytes, Links
from lab.stages.requests import Overheard, Request
from lab.stages.seeds import Int64, generator, mixed, states_of
from lab.stages.segments import Ends, Messages
from lab.timeline import Timeline

_PADS = [b"", b"\0\0\0", b"\0\0", b"\0"]  # to a multiple of ALIGN
SLICE_BYTES = 4 << 20  # payload kept in memory at a time; small enough that its pages are used again
SLICE_CONVERSATIONS = 1 << 17
_HELLO = 9  # salt of seeds.mixed
LARGEST_DATAGRAM = 1472  # payload of an unfragmented datagram on Ethernet
#: RFC 7301 names; other protocols here have none.
ALPN = {"http": "http/1.1", "websocket": "http/1.1", "http2": "h2", "doh": "h2"}


class WireFormat(Protocol):
    """A protocol module."""

    TRANSPORT: str

    def messages(self, dialogue: Dialogue) -> Iterator[Message]:
        """The bytes both sides say."""
        ...


class Wrap(Protocol):
    """A TLS: recorded shapes (lab.protocols.tls.wrap) or live handshakes."""

    def __call__(
        self,
        messages: Iterable[Message],
        *,
        host: str,
        stack: int,
        alpn: str,
        rng: np.random.Generator,
        start: int,
        manner: Manner,
        variant: int,
    ) -> Iterator[Message]:
        """The messages under TLS."""
        ...


@dataclass(frozen=True)
class Slice:
    """Conversations first to first + n, spoken: their ends, messages, payload and the requests in plain sight."""

    first: int
    ends: Ends
    messages: Messages
    payload: Bytes  # messages padded with zeros to multiples of ALIGN, and ALIGN zeros at the end
    requests: list[Request]


def formats_of(timeline: Timeline) -> list[WireFormat]:
    """The protocol module of each speech; StageError names the one that is missing."""
    found: list[WireFormat] = []
    for speech in timeline.speeches:
        try:
            found.append(import_module(f"lab.protocols.{speech.protocol.replace('-', '_')}"))
        except ModuleNotFoundError as fault:
            raise StageError(f"no protocol {speech.protocol!r}: {fault}") from fault
    return found


def slices(timeline: Timeline, links: Links, formats: list[WireFormat], tls: Wrap | None = None) -> Iterator[Slice]:
    """The timeline in slices of about SLICE_BYTES, in order; ``tls`` replaces the recorded handshakes."""
    speaker = Speaker(timeline, links, formats, tls)
    total = len(timeline.conversations.start)
    first = 0
    while first < total:
        made = speaker.slice(first, total)
        yield made
        first += len(made.ends.start)


def manner_of(kind: Speech) -> Manner:
    """How a speech's clients say hello: options ``sni`` (a name, "none"), ``ech``, ``resume`` and ``carried`` ("1")."""
    said = kind.options
    name = said.get("sni")
    flags = (said.get(one) == "1" for one in ("ech", "resume", "carried"))
    return Manner("" if name == "none" else name, *flags)


def variants_of(seed: Int64) -> Int64:
    """Which of its hellos the client of each conversation says, if it draws them anew: the same on all stages."""
    return (mixed(seed, _HELLO) % np.uint64(VARIANTS)).astype(np.int64)


def upgrades(kind: Speech) -> bool:
    """Whether a plain connection turns into TLS under way (STARTTLS): option ``starttls`` "1"."""
    return not kind.tls and kind.options.get("starttls") == "1"


def upgraded(
    messages: Iterable[Message], secured: Callable[[Iterator[Message], int], Iterator[Message]]
) -> Iterator[Message]:
    """The messages in clear up to the one that upgrades the connection, the rest as ``secured`` has it from then on."""
    coming = iter(messages)
    for message in coming:
        yield message
        if message.upgrades:
            yield from secured(coming, message.time)


class Speaker:
    """Plain-Python copies of the timeline's columns, and the loop over them."""

    def __init__(self, timeline: Timeline, links: Links, formats: list[WireFormat], tls: Wrap | None) -> None:
        self.timeline, self.links, self.formats = timeline, links, formats
        self.tls: Wrap = tls or wrap
        self.recorded = tls is None  # live sessions end with the FIN alone
        said = timeline.conversations
        self.offsets = timeline.exchange_slices()
        self.states, self.variants = states_of(said.seed), variants_of(said.seed).tolist()
        names = ("start", "close", "app", "host", "speech", "inbound", "stack")
        self.rows = list(zip(*(getattr(said, name).tolist() for name in names), strict=True))
        lanes = (links.rtt, links.mss, links.gap_up, links.gap_down, links.tcp)
        self.lanes, self.room = list(zip(*(lane.tolist() for lane in lanes), strict=True)), links.room.tolist()

    def slice(self, first: int, total: int) -> Slice:
        """Conversations from ``first`` until the slice is full."""
        spoken: list[Said] = []
        requests: list[Request] = []
        size, index = 0, first
        while index < total and size < SLICE_BYTES and index - first < SLICE_CONVERSATIONS:
            said, seen = self._speak(index)
            size += sum(map(len, said.data))
            spoken.append(said)
            requests += seen
            index += 1
        return self._gathered(first, spoken, requests)

    def dialogue(self, index: int) -> tuple[Dialogue, Course]:
        """A conversation as its protocol sees it, and what decides its course."""
        start, close, app, host, speech, inbound, stack = self.rows[index]
        rtt, mss, gap_up, gap_down, tcp = self.lanes[index]
        kind, peer = self.timeline.speeches[speech], self.timeline.hosts[host]
        owner = self.timeline.apps[app]
        name = text_of(self.links.local[index], self.links.book) if inbound else peer.name or peer.address
        x, rows = self.timeline.exchanges, slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        words = (x.time[rows], x.up[rows], x.down[rows], x.delay[rows])
        end = generator(self.states[index]), start, stack, self.room[index]
        said = Dialogue(name, kind.port, kind.options, owner.agent, *words, *end)
        return said, Course(start, close, rtt, mss, gap_up, gap_down, tcp, inbound)

    def _speak(self, index: int) -> tuple[Said, list[Request]]:
        _, close, _, host, speech, inbound, stack = self.rows[index]
        kind, peer = self.timeline.speeches[speech], self.timeline.hosts[host]
        dialogue, course = self.dialogue(index)
        rng, start, tcp = dialogue.rng, course.start, course.tcp
        messages = self.formats[speech].messages(dialogue)
        ear = None
        if tcp and not inbound and not peer.address.startswith("10.88."):
            ear = Overheard()
            messages = ear.plain(messages)
        if kind.tls or upgrades(kind):
            messages = self._secured(messages, kind, dialogue, start, self.variants[index])
        if ear:
            messages = ear.carried(messages)
        if (kind.tls or upgrades(kind)) and self.recorded:
            messages = chain(messages, _farewell(close, able(stack, manner_of(kind)), rng))
        said = place(course, messages)
        if not tcp:
            _refuse_large(said, kind.protocol)
        return said, ear.requests(index, said, _sni(kind, peer.name)) if ear else []

    def _secured(
        self, messages: Iterable[Message], kind: Speech, dialogue: Dialogue, start: int, variant: int
    ) -> Iterator[Message]:
        """The messages under TLS, from the first one on or from where the connection is upgraded."""
        alpn, manner = kind.options.get("alpn", ALPN.get(kind.protocol, "")), manner_of(kind)

        def secured(rest: Iterable[Message], begin: int) -> Iterator[Message]:
            d = dialogue
            return self.tls(
                rest, host=d.host, stack=d.stack, alpn=alpn, rng=d.rng, start=begin, manner=manner, variant=variant
            )

        return secured(messages, start) if kind.tls else upgraded(messages, secured)

    def _gathered(self, first: int, spoken: list[Said], requests: list[Request]) -> Slice:
        rows = slice(first, first + len(spoken))
        links, said = self.links, self.timeline.conversations
        ends = Ends(
            start=said.start[rows],
            closed=np.array([one.closed for one in spoken], dtype=np.int64),
            rtt=links.rtt[rows],
            mss=links.mss[rows],
            gap_up=links.gap_up[rows],
            gap_down=links.gap_down[rows],
            tcp=links.tcp[rows],
            inbound=said.inbound[rows],
            seed=said.seed[rows],
        )
        data = [message for one in spoken for message in one.data]
        length = np.array([len(message) for message in data], dtype=np.int64)
        padded = (length + ALIGN - 1) & -ALIGN
        of = np.repeat(np.arange(len(spoken)), [len(one.data) for one in spoken])
        by_client = np.array([who for one in spoken for who in one.from_client], dtype=np.bool_)
        messages = Messages(
            conversation=of,
            start=np.array([time for one in spoken for time in one.start], dtype=np.int64),
            local=by_client != ends.inbound[of],
            offset=np.cumsum(padded) - padded,
            length=length,
        )
        payload = b"".join([*(message + _PADS[len(message) % ALIGN] for message in data), bytes(ALIGN)])
        return Slice(first, ends, messages, np.frombuffer(payload, dtype=np.uint8), requests)


def _sni(kind: Speech, name: str) -> str | None:
    """The name that a proxy reads in a hello; None where there is none."""
    said = manner_of(kind).sni
    return (name if said is None else said) or None if kind.tls else None


def _farewell(close: int, stack: int, rng: np.random.Generator) -> Iterator[Message]:
    """The client's close_notify, drawn when all else has been said."""
    yield closing(close, stack=stack, from_client=True, rng=rng)


def _refuse_large(said: Said, protocol: str) -> None:
    largest = max(map(len, said.data), default=0)
    if largest > LARGEST_DATAGRAM:
        raise StageError(
            f"protocol {protocol}: found a datagram of {largest} bytes, expected {LARGEST_DATAGRAM} at most"
        )
