"""DNS questions and their answers: from every UDP packet of ports 53 and 5353, and the first bytes of TCP port 53."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from detector.capture.flows import Flows
from detector.capture.mapped import MappedFile
from detector.capture.names import DnsMessage, parse_dns, split_tcp
from detector.capture.packets import TCP, UDP
from detector.contract import SCHEMAS

PORT, MULTICAST_PORT = 53, 5353


@dataclass(frozen=True)
class Spoken:
    """One DNS message as it went by: in which slot, when, which way, how large."""

    slot: int
    time: int
    up: bool
    size: int
    message: DnsMessage


@dataclass
class Lookup:
    """One question with its answer: a row of the dns table before it is one."""

    slot: int
    time: int
    qname: str
    qtype: str
    answered: int | None = None
    rcode: int | None = None
    answers: tuple[str, ...] = ()
    sizes: list[int] = field(default_factory=lambda: [0, 0])


def dns_flows(flows: Flows) -> NDArray[np.bool_]:
    """Per slot: UDP with port 53 at one end."""
    packets, starts = flows.packets, flows.starts
    ports = (packets.sport[starts] == PORT) | (packets.dport[starts] == PORT)
    return ports & (packets.proto[starts] == UDP)


def lookups(flows: Flows, heads: tuple[list[bytes], list[bytes]], file: MappedFile) -> list[Lookup]:
    """All questions and answers, paired inside their flow by identifier, name and type."""
    found: list[Lookup] = []
    open_ones: dict[tuple[int, int, str, str], Lookup] = {}
    for said in (*_datagrams(flows, file), *_streamed(flows, heads)):
        message = said.message
        if message.qname is None or message.qtype is None:
            continue
        key = (said.slot, message.ident, message.qname, message.qtype)
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
        known.sizes[0 if said.up else 1] += said.size
    return found


def _datagrams(flows: Flows, file: MappedFile) -> Iterator[Spoken]:
    packets = flows.packets
    ports = np.isin(packets.sport, (PORT, MULTICAST_PORT)) | np.isin(packets.dport, (PORT, MULTICAST_PORT))
    rows = np.flatnonzero(ports & (packets.proto == UDP) & (packets.size > 0))
    begin = packets.at[rows]
    columns = (flows.slot[rows], packets.time[rows], flows.up[rows], packets.size[rows], begin)
    ends = (begin + packets.have[rows]).tolist()
    for slot, time, up, size, first, last in zip(*(column.tolist() for column in columns), ends, strict=True):
        message = parse_dns(file.bytes(first, last))
        if message is not None:
            yield Spoken(slot, time, up, size, message)


def _streamed(flows: Flows, heads: tuple[list[bytes], list[bytes]]) -> Iterator[Spoken]:
    packets, starts = flows.packets, flows.starts
    ports = (packets.sport[starts] == PORT) | (packets.dport[starts] == PORT)
    for slot in np.flatnonzero(ports & (packets.proto[starts] == TCP)).tolist():
        for side, up in ((0, True), (1, False)):
            rows = flows.streams[side].row[flows.streams[side].slot == slot]
            for payload in split_tcp(heads[side][slot]):
                message = parse_dns(payload)
                if message is not None:
                    yield Spoken(slot, int(packets.time[rows].min()), up, len(payload), message)


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
        "bytes_up": [one.sizes[0] for one in ordered],
        "bytes_down": [one.sizes[1] for one in ordered],
    }
    return pa.table(columns, schema=SCHEMAS["dns"])


class Resolved:
    """Which name an address was last said to have, to a client or, failing that, to anyone."""

    def __init__(self, found: Sequence[Lookup], client: list[str]) -> None:
        self._said: dict[tuple[str | None, str], tuple[list[int], list[str]]] = {}
        answered = [(one.answered, one) for one in found if one.answered is not None and one.answers]
        for time, one in sorted(answered, key=lambda pair: pair[0]):
            for address in one.answers:
                for who in (client[one.slot], None):
                    times, names = self._said.setdefault((who, address), ([], []))
                    times.append(time)
                    names.append(one.qname)

    def name(self, client: str, address: str, time: int) -> str | None:
        """The name whose answer held the address, latest not after the time."""
        for who in (client, None):
            times, names = self._said.get((who, address), ([], []))
            place = bisect_right(times, time)
            if place:
                return names[place - 1]
        return None
