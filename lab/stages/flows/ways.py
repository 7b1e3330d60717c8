"""Which way of speaking each conversation of a timeline has: its script, the lengths of its names, its handshake.

Worked out once per speech, host and client shape, never per conversation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lab.behaviours import Speech
from lab.protocols import DATAGRAM
from lab.protocols.datagram import LARGEST
from lab.protocols.handshakes.variant import VARIANTS
from lab.protocols.quic import flight_bytes
from lab.protocols.tls import alike_hellos, chain_bytes
from lab.stages.dialogues import ALPN, formats_of, manner_of, upgrades, variants_of
from lab.stages.flows.classes import (
    AGENT,
    CHAIN,
    CODED_AGENT,
    CODED_HOST,
    CODED_OPTION,
    OPTION,
    SUB,
    TEXTS,
    ZONE,
    Class,
    canonical,
)
from lab.stages.flows.flights import Flights, flights_of
from lab.stages.flows.huffman import CODED, huffman_length
from lab.stages.flows.probes import Script, script_of
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]

HIDDEN = ("sni", "ech", "resume", "carried", "alpn")  # options that TLS reads, not the protocol
OWN_TLS = frozenset({"quic"})  # protocols whose hello is their own
_REF = Class("", 0, named=True, options=()).host.partition(".")
_REF_SUB, _REF_ZONE, _REF_ADDRESS = len(_REF[0]) + 1, len(_REF[2]), len("198.18.7.77")
BROWSERS = ("Chrome", "Mozilla", "Cronet")  # whose HTTP/2 is another than that of others


@dataclass(frozen=True)
class Ways:
    """One row per conversation; ``flight`` is -1 where there is no TLS.

    ``longer`` says by how many bytes the texts SUB to CODED_OPTION are longer than in the script, ``chain`` the
    certificates than in the flights.
    """

    scripts: tuple[Script, ...]
    script: Int64
    longer: Int64  # (n, TEXTS)
    flights: tuple[Flights, ...]
    flight: Int64
    chain: Int64
    shown: tuple[str | None, ...]  # by speech: the name in clear in its hello, None: the host's own

    @cached_property
    def overheads(self) -> Int64:
        """What a record of each flight adds to its plaintext; last, as at -1, nothing where there is no TLS."""
        return np.array([*(one.overhead for one in self.flights), 0], dtype=np.int64)

    def take(self, rows: Int64) -> Ways:
        """The ways of these conversations."""
        names = ("script", "longer", "flight", "chain")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def ways_of(timeline: Timeline, room: Int64 | int = DATAGRAM) -> Ways:
    """The ways of all conversations; StageError for a protocol that is not there.

    ``room``: bytes that a datagram of each may hold (Links.room).
    """
    said = timeline.conversations
    speeches = [_speech(speech) for speech in timeline.speeches]
    names = ["" if host.name == host.address else host.name for host in timeline.hosts]
    named = np.array([bool(name) for name in names], dtype=np.bool_)[said.host] & ~said.inbound
    known: dict[Class, int] = {}
    own = [speech.protocol in OWN_TLS or upgrades(speech) for speech in timeline.speeches]
    browsing = _browsing(timeline) & np.array([kind in CODED for kind, *_ in speeches], dtype=np.bool_)[said.speech]
    key = ((said.speech.astype(np.int64) * 2 + named) * 2 + browsing) * 256 + np.where(
        np.array(own, dtype=np.bool_)[said.speech], said.stack, 0
    )
    kinds, place = np.unique(key << 11 | _tight(timeline, room), return_inverse=True)
    index = []
    for whole in kinds.tolist():
        kind, least = whole >> 11, whole & 0x7FF
        protocol, port, options, _ = speeches[kind >> 10]
        one = Class(protocol, port, bool(kind >> 9 & 1), options, kind & 255, bool(kind >> 8 & 1), least)
        index.append(known.setdefault(one, len(known)))
    script = np.array(index, dtype=np.int64)[place]
    flights, flight, chain = _flights(timeline, names, named)
    shown = tuple(manner_of(speech).sni for speech in timeline.speeches)
    longer = _longer(timeline, names, named, [extra for *_, extra in speeches])
    longer[:, AGENT] -= np.array([len(one.agent) for one in known], dtype=np.int64)[script]
    _code(timeline, longer, list(known), script, named)
    return Ways(tuple(script_of(one) for one in known), script, longer, flights, flight, chain, shown)


def _speech(speech: Speech) -> tuple[str, int, tuple[tuple[str, str], ...], int]:
    """Protocol, port, canonical options, and by how much the options' texts are longer."""
    made = {name: canonical(name, value) for name, value in sorted(speech.options.items()) if name not in HIDDEN}
    if speech.protocol in OWN_TLS:
        made |= {name: canonical(name, speech.options[name]) for name in HIDDEN if name in speech.options}
    options = tuple((name, value) for name, (value, _) in made.items())
    return speech.protocol, speech.port, options, sum(extra for _, extra in made.values())


def _tight(timeline: Timeline, room: Int64 | int) -> Int64:
    """(n,) what a datagram may hold where that is less than protocols like to send; streams have room for all."""
    udp = [one.TRANSPORT == "udp" for one in formats_of(timeline)]
    mine: npt.NDArray[np.bool_] = np.array(udp, dtype=np.bool_)[timeline.conversations.speech]
    return np.where(mine & (room < LARGEST), room, DATAGRAM).astype(np.int64)


def _browsing(timeline: Timeline) -> npt.NDArray[np.bool_]:
    """Whose agent names a browser's engine."""
    named = [any(word in app.agent for word in BROWSERS) for app in timeline.apps]
    found: npt.NDArray[np.bool_] = np.array(named, dtype=np.bool_)[timeline.conversations.app]
    return found


def _longer(timeline: Timeline, names: list[str], named: npt.NDArray[np.bool_], options: list[int]) -> Int64:
    said = timeline.conversations
    zones = [len(name) - len(_sub(name)) for name in names]
    hosts = np.array([(len(_sub(name)), zone) for name, zone in zip(names, zones, strict=True)], dtype=np.int64)
    hosts = hosts.reshape(-1, 2)[said.host]
    there = np.array([len(host.address) for host in timeline.hosts], dtype=np.int64)[said.host]
    here = np.array([len(timeline.devices[app.device].address) for app in timeline.apps], dtype=np.int64)[said.app]
    chains = [chain_bytes(name) - chain_bytes("qzw.calibration.example") for name in names]
    made = np.zeros((len(said.start), TEXTS), dtype=np.int64)
    made[:, CHAIN] = np.array(chains, dtype=np.int64)[said.host]
    for number, speech in enumerate(timeline.speeches):
        if speech.protocol == "quic":
            mine = said.speech == number
            made[mine, CHAIN] = _quic_chains(timeline, speech)[named[mine].astype(np.int64), said.host[mine]]
    made[:, SUB] = np.where(named, hosts[:, 0] - _REF_SUB, 0)
    made[:, ZONE] = np.where(named, hosts[:, 1] - _REF_ZONE, np.where(said.inbound, here, there) - _REF_ADDRESS)
    made[:, AGENT] = np.array([len(app.agent) for app in timeline.apps], dtype=np.int64)[said.app]
    made[:, OPTION] = np.array(options, dtype=np.int64)[said.speech]
    return made


def _code(timeline: Timeline, longer: Int64, kinds: list[Class], script: Int64, named: npt.NDArray[np.bool_]) -> None:
    """Writes into ``longer`` by how much the texts in HPACK's code are longer."""
    mine = np.flatnonzero(np.array([kind.protocol in CODED for kind in kinds], dtype=np.bool_)[script])
    if not len(mine):
        return
    said = timeline.conversations
    used, place = np.unique(said.host[mine], return_inverse=True)
    peers = [timeline.hosts[number] for number in used.tolist()]
    lengths = [[huffman_length(text) for text in (one.address, one.name or one.address)] for one in peers]
    own = np.array([(huffman_length(one.host), huffman_length(one.agent)) for one in kinds], dtype=np.int64)[
        script[mine]
    ]
    longer[mine, CODED_HOST] = np.array(lengths, dtype=np.int64)[place, named[mine].astype(np.int64)] - own[:, 0]
    agents = np.array([huffman_length(app.agent) for app in timeline.apps], dtype=np.int64)
    longer[mine, CODED_AGENT] = agents[said.app[mine]] - own[:, 1]
    options = np.array([_coded_options(speech) for speech in timeline.speeches], dtype=np.int64)
    longer[mine, CODED_OPTION] = options[said.speech[mine]]


def _coded_options(speech: Speech) -> int:
    made = ((canonical(name, value)[0], value) for name, value in speech.options.items() if name not in HIDDEN)
    return sum(huffman_length(value) - huffman_length(ours) for ours, value in made if ours != value and "qzo" in ours)


def _quic_chains(timeline: Timeline, speech: Speech) -> Int64:
    """(2, hosts) by how much the flights of QUIC's servers are longer than in the script, called by address or name."""
    resumed = manner_of(speech).resume
    known = Class("quic", 0, named=False, options=()), Class("quic", 0, named=True, options=())
    names = [[one.address for one in timeline.hosts], [one.name or one.address for one in timeline.hosts]]
    own = [flight_bytes(one.host, resumed=resumed) for one in known]
    return np.array(
        [[flight_bytes(name, resumed=resumed) - least for name in row] for row, least in zip(names, own, strict=True)],
        dtype=np.int64,
    )


def _sub(name: str) -> str:
    """What stands before the registrable name, the last two labels, its dot included.

    >>> _sub("api.shop.example"), _sub("shop.example")
    ('api.', '')
    """
    labels = name.split(".")
    return "".join(f"{label}." for label in labels[:-2])


def _flights(
    timeline: Timeline, names: list[str], named: npt.NDArray[np.bool_]
) -> tuple[tuple[Flights, ...], Int64, Int64]:
    said = timeline.conversations
    tls = np.array([speech.tls for speech in timeline.speeches], dtype=np.bool_)[said.speech]
    rows = np.flatnonzero(tls)
    variant, manners = _variants(timeline, rows), [manner_of(speech) for speech in timeline.speeches]
    key = np.stack([said.speech[rows], said.host[rows], said.stack[rows], named[rows], variant], axis=1)
    wide = (key[:, 0].astype(np.int64) << 24 | key[:, 1]) << 16 | key[:, 2] << 8 | key[:, 3] << 7 | key[:, 4]
    _, first, place = np.unique(wide, return_index=True, return_inverse=True)
    found: dict[Flights, int] = {}
    index, chains = [], []
    for speech, host, stack, has_name, which in key[first].tolist():
        kind = timeline.speeches[speech]
        name, manner = names[host] if has_name else "", manners[speech]
        shown = name if manner.sni is None else manner.sni
        one = flights_of(stack, len(shown), kind.options.get("alpn", ALPN.get(kind.protocol, "")), manner, which)
        index.append(found.setdefault(one, len(found)))
        chains.append(one.chain(name or timeline.hosts[host].address))
    flight, chain = np.full(len(tls), -1, dtype=np.int64), np.zeros(len(tls), dtype=np.int64)
    flight[rows] = np.array(index, dtype=np.int64)[place] if len(rows) else 0
    chain[rows] = np.array(chains, dtype=np.int64)[place] if len(rows) else 0
    return tuple(found), flight, chain


def _variants(timeline: Timeline, rows: Int64) -> Int64:
    """(rows,) a hello as long as the one that the client says on the wire, for clients that draw theirs anew."""
    said = timeline.conversations
    ech = np.array([manner_of(speech).ech for speech in timeline.speeches], dtype=np.int64)
    kinds, place = np.unique(said.stack[rows].astype(np.int64) * 2 + ech[said.speech[rows]], return_inverse=True)
    alike = [alike_hellos(kind >> 1, ech=bool(kind & 1)) for kind in kinds.tolist()]
    return np.array(alike, dtype=np.int64).reshape(-1, VARIANTS)[place, variants_of(said.seed[rows])]
