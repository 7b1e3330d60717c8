"""What both sides of each conversation say on the live stage, in columns, before any clock runs.

The messages are those of ``lab.protocols``, without TLS, placed in scenario time by the same law of causality as on the
wire stage; their bytes wait in one file that the orchestrator and the servers map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lab.errors import StageError
from lab.protocols import Message
from lab.stages.causality import place
from lab.stages.dialogues import ALPN, Speaker, WireFormat, formats_of
from lab.stages.labels import addresses
from lab.stages.link import Int64, Links, links_of
from lab.timeline import Timeline

#: Who proxies for whom must follow within this: a proxy resolves and connects before it relays.
DIALS_WITHIN_US = 3_000_000
PROXIES = ("socks5", "connect")
#: (address, port)
Endpoint = tuple[str, int]


@dataclass(frozen=True)
class Script:
    """One conversation: who, with whom, and its k messages in the order said; scenario times in us since the epoch."""

    n: int  # row of the timeline's conversations
    device: int  # row of the timeline's devices
    uid: int
    protocol: str
    transport: str  # tcp or udp
    tls: bool
    stack: int  # TLS client shape
    alpn: str  # "" for none
    name: str  # of the server; "" where it has none
    server: Endpoint
    client: str  # address; of an inbound conversation the stranger's
    inbound: bool
    via: int | None  # the inbound conversation whose proxy on the phone dials this one
    rtt_us: int
    start: int
    close: int
    from_client: np.ndarray[tuple[int], np.dtype[np.bool_]]  # (k,)
    pushed: np.ndarray[tuple[int], np.dtype[np.bool_]]  # (k,) said by the server without being asked
    size: Int64  # (k,) bytes
    offset: Int64  # (k,) into the payload file
    begin: Int64  # (k,) when the first and the last byte of it pass the device, as the wire stage would have it
    end: Int64  # (k,)
    think: Int64  # (k,) of a server's answer: us between the request and it, round trip not included


@dataclass(frozen=True)
class Played:
    """What became of one conversation: its real endpoints and clock, and the first thing that went wrong."""

    n: int
    client: Endpoint | None  # None: no socket was ever seen
    server: Endpoint
    opened_us: int  # wall clock, us since the epoch
    closed_us: int
    sent: int  # plain bytes of the client's side, as the client counts them
    received: int
    error: str | None = None


def scripts_of(timeline: Timeline, payload: BinaryIO) -> list[Script]:
    """The scripts of all conversations, in the timeline's order; their bytes go to ``payload``, one after the other.

    Raises StageError on a peer outside the lab or an unknown protocol, as the wire stage does, and on phones that
    change their network or have an always-on VPN: handsets are wired to one network, without a tunnel. That network is
    what it is: StageError on a scenario that asks for another.
    """
    if wanted := timeline.network.set():
        raise StageError(
            f"network: the live stage cannot bring about {', '.join(wanted)}: its network is this machine's; "
            "record it with --stage wire"
        )
    if found := [phone.name for phone in timeline.devices if phone.attachments or phone.tunnel]:
        raise StageError(
            f"{', '.join(found)}: the live stage plays neither networks other than home nor an always-on VPN; "
            "record it with --stage wire"
        )
    formats = formats_of(timeline)
    links = links_of(timeline, [found.TRANSPORT for found in formats])
    writer = _Writer(timeline, links, formats, payload)
    via = proxied(timeline)
    return [writer.script(n, via.get(n)) for n in range(len(timeline.conversations.start))]


def write_scripts(timeline: Timeline, path: Path) -> list[Script]:
    """As ``scripts_of``, into a file."""
    with path.open("wb") as payload:
        return scripts_of(timeline, payload)


def proxied(timeline: Timeline) -> dict[int, int]:
    """Outbound conversation -> the inbound one whose proxy on the phone dials it; each is used once.

    A proxy conversation names its target; what the same app opens to that host and port soon after is its relay.
    """
    said = timeline.conversations
    waiting: dict[tuple[int, str], list[int]] = {}
    for n in np.flatnonzero(said.inbound).tolist():
        speech = timeline.speeches[int(said.speech[n])]
        if speech.protocol in PROXIES and "target" in speech.options:
            waiting.setdefault((int(said.app[n]), speech.options["target"]), []).append(n)
    found: dict[int, int] = {}
    for n in np.flatnonzero(~said.inbound).tolist():
        host = timeline.hosts[int(said.host[n])]
        target = f"{host.name or host.address}:{timeline.speeches[int(said.speech[n])].port}"
        asked = waiting.get((int(said.app[n]), target), [])
        late = [m for m in asked if 0 <= int(said.start[n] - said.start[m]) <= DIALS_WITHIN_US]
        if late:
            found[n] = late[0]
            asked.remove(late[0])
    return found


class _Writer:
    """The timeline's columns, and one conversation after the other put into words."""

    def __init__(self, timeline: Timeline, links: Links, formats: list[WireFormat], payload: BinaryIO) -> None:
        self._timeline, self._links, self._formats, self._payload = timeline, links, formats, payload
        self._speaker = Speaker(timeline, links, formats, None)
        self._remote = addresses(links.remote)
        self._place = payload.tell()

    def script(self, n: int, via: int | None) -> Script:
        """Conversation n."""
        said, timeline = self._timeline.conversations, self._timeline
        speech = timeline.speeches[int(said.speech[n])]
        app, peer = timeline.apps[int(said.app[n])], timeline.hosts[int(said.host[n])]
        device = timeline.devices[app.device]
        inbound = bool(said.inbound[n])
        dialogue, course = self._speaker.dialogue(n)
        form = self._formats[int(said.speech[n])]
        messages = [message for message in form.messages(dialogue) if message.data]
        placed = place(course, messages)
        sizes, offsets = self._written(messages)
        return Script(
            n=n,
            device=app.device,
            uid=app.uid,
            protocol=speech.protocol,
            transport=form.TRANSPORT,
            tls=speech.tls,
            stack=int(said.stack[n]),
            alpn=(speech.options.get("alpn") or ALPN.get(speech.protocol, "")) if speech.tls else "",
            name="" if inbound else peer.name,
            server=(device.address if inbound else peer.address, speech.port),
            client=str(self._remote[n]) if inbound else device.address,
            inbound=inbound,
            via=via,
            rtt_us=int(self._links.rtt[n]),
            start=int(said.start[n]),
            close=max(placed.closed, int(said.start[n])),
            from_client=np.array([message.from_client for message in messages], dtype=np.bool_),
            pushed=np.array([message.pushed for message in messages], dtype=np.bool_),
            size=sizes,
            offset=offsets,
            begin=np.array(placed.start, dtype=np.int64),
            end=np.array(placed.end, dtype=np.int64),
            think=_thinking(messages, int(said.start[n])),
        )

    def _written(self, messages: Sequence[Message]) -> tuple[Int64, Int64]:
        """The messages' sizes, and where the payload has them now."""
        sizes = np.array([len(message.data) for message in messages], dtype=np.int64)
        offsets = self._place + np.cumsum(sizes) - sizes
        for message in messages:
            self._payload.write(message.data)
        self._place += int(sizes.sum())
        return sizes, offsets


def _thinking(messages: Sequence[Message], start: int) -> Int64:
    """How long after what was asked each answer comes, us; what asks, and what comes unasked, has 0."""
    asked, think = start, []
    for message in messages:
        think.append(0 if message.from_client or message.pushed else max(0, message.time - asked))
        asked = message.time if message.from_client else asked
    return np.array(think, dtype=np.int64)
