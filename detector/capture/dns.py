"""DNS questions and their answers: from every UDP packet of ports 53 and 5353, and the streams of TCP port 53."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from detector.capture.dns_streams import Sent, streamed
from detector.capture.flows import DNS_PORT, Flows
from detector.capture.mapped import MappedFile
from detector.capture.names import DnsMessage, repeated_dns
from detector.capture.packets import UDP
from detector.contract import SCHEMAS

MULTICAST_PORT = 5353


@dataclass(slots=True)
class Spoken:
    """One DNS message as it went by: in which slot, when, which way, how large."""

    slot: int
    time: int
    up: bool
    size: int
    ident: int
    message: DnsMessage


@dataclass(slots=True)
class Lookup:
    """One question with its answer: a row of the dns table before it is one."""

    slot: int
    time: int
    qname: str
    qtype: str
    answered: int | None = None
    rcode: int | None = None
    answers: tuple[str, ...] = ()
    bytes_up: int = 0
    bytes_down: int = 0


def lookups(flows: Flows, file: MappedFile) -> tuple[list[Lookup], int]:
    """All questions and answers, paired inside their flow by identifier, name and type; how many streams were cut."""
    sent, cut = streamed(flows, file)
    return _paired(chain(_spoken(_datagrams(flows, file)), _spoken(sent))), cut


def _paired(spoken: Iterable[Spoken]) -> list[Lookup]:
    """The look-ups of messages, those of one flow in order of time."""
    found: list[Lookup] = []
    open_ones: dict[tuple[int, int, str, str], Lookup] = {}
    for said in spoken:
        message = said.message
        if message.qname is None or message.qtype is None:
            continue
        key = (said.slot, said.ident, message.qname, message.qtype)
        known = open_ones.get(key) if message.response else None
        if known is None:
            known = Lookup(said.slot, said.time, message.qname, message.qtype)
            found.append(known)
            open_ones[key] = known
        if message.response:
            if known.answered is None:
                known.answered, known.rcode, known.answers = said.time, message.rcode, message.answers
            elif not known.answers:
                known.rcode, known.answers = message.rcode, message.answers
        if said.up:
            known.bytes_up += said.size
        else:
            known.bytes_down += said.size
    return found


def _spoken(sent: Iterable[Sent]) -> Iterator[Spoken]:
    """The messages that can be read."""
    for slot, time, up, size, payload in sent:
        message = repeated_dns(payload)
        if message is not None:
            yield Spoken(slot, time, up, size, payload[0] << 8 | payload[1], message)


def _datagrams(flows: Flows, file: MappedFile) -> Iterator[Sent]:
    packets = flows.packets
    ports = np.zeros(len(packets.size), bool)
    for port in (DNS_PORT, MULTICAST_PORT):
        ports |= (packets.sport == port) | (packets.dport == port)
    rows = np.flatnonzero(ports & (packets.proto == UDP) & (packets.size > 0))
    begin = packets.at[rows]
    columns = (flows.slot[rows], packets.time[rows], flows.up[rows], packets.size[rows])
    payloads = file.spans(begin, begin + packets.have[rows])
    return zip(*(column.tolist() for column in columns), payloads, strict=True)


def dns_table(found: Sequence[Lookup], flows: Flows, client: list[str], server: list[str]) -> pa.Table:
    """The lookups as the dns table, by time; ``client`` and ``server`` are addresses by slot."""
    number = flows.number.tolist()
    ordered = sorted(found, key=lambda one: (one.time, number[one.slot]))
    columns: dict[str, list[Any]] = {
        "flow": [number[one.slot] for one in ordered],
        "time": [one.time for one in ordered],
        "answered": [one.answered for one in ordered],
        "client": [client[one.slot] for one in ordered],
        "server": [server[one.slot] for one in ordered],
        "qname": [one.qname for one in ordered],
        "qtype": [one.qtype for one in ordered],
        "rcode": [one.rcode for one in ordered],
        "answers": [one.answers for one in ordered],
        "bytes_up": [one.bytes_up for one in ordered],
        "bytes_down": [one.bytes_down for one in ordered],
    }
    return pa.table(columns, schema=SCHEMAS["dns"])


class Resolved:
    """Which name an address was last said to have, to a client or, failing that, to anyone."""

    def __init__(self, found: Sequence[Lookup], client: list[str], wanted: set[str]) -> None:
        """``client`` is by slot; only answers that are ``wanted`` addresses are remembered."""
        self._said: dict[tuple[str | None, str], list[tuple[int, str]]] = {}
        for one in found:
            for address in one.answers:
                if address in wanted and one.answered is not None:
                    for who in (client[one.slot], None):
                        self._said.setdefault((who, address), []).append((one.answered, one.qname))
        for said in self._said.values():
            said.sort()

    def name(self, client: str, address: str, time: int) -> str | None:
        """The name whose answer held the address, latest not after the time."""
        for who in (client, None):
            said = self._said.get((who, address))
            place = bisect_right(said, time, key=itemgetter(0)) if said else 0
            if said and place:
                return said[place - 1][1]
        return None
