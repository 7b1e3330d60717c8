"""The flows table, made of flows, their names, and what DNS said of their servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from ipaddress import IPv6Address
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from detector.capture.dns import Lookup, Resolved
from detector.capture.flows import Flows
from detector.capture.names import Names
from detector.capture.network import AddressBook
from detector.capture.packets import ACK, RST, SYN, TCP
from detector.contract import SCHEMAS

#: What the reader of a capture cannot know: intake adds it.
ATTRIBUTED = ("device", "inbound", "uid", "package")
FLOWS = pa.schema([column for column in SCHEMAS["flows"] if column.name not in ATTRIBUTED])
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
_READ = tuple(item.name for item in fields(Names))


def addresses(flows: Flows) -> tuple[list[str], list[str]]:
    """The addresses of client and server by slot."""
    packets, upward = flows.packets, flows.up[flows.starts]
    v6 = packets.v6[flows.starts]
    source = _texts(packets.src[flows.starts], v6, packets.book)
    target = _texts(packets.dst[flows.starts], v6, packets.book)
    pairs = list(zip(source, target, upward.tolist(), strict=True))
    return [a if up else b for a, b, up in pairs], [b if up else a for a, b, up in pairs]


def _texts(numbers: NDArray[np.uint32], v6: NDArray[np.bool_], book: AddressBook) -> list[str]:
    distinct, inverse = np.unique(numbers.astype(np.int64) | v6.astype(np.int64) << 32, return_inverse=True)
    known = list(book.numbers)
    texts = [
        f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        if number < 1 << 32
        else str(IPv6Address(known[number - (1 << 32)]))
        for number in distinct.tolist()
    ]
    return [texts[place] for place in inverse.tolist()]


def flow_table(
    measured: dict[str, Any], names: Sequence[Names], ends: tuple[list[str], list[str]], found: Sequence[Lookup]
) -> pa.Table:
    """The flows by number; what was ``measured``, ``names`` and ``ends`` (client, server addresses) are by slot."""
    columns = dict(measured)
    columns["client"], columns["server"] = ends
    columns["proto"] = [PROTOCOLS.get(number, str(number)) for number in columns["proto"].tolist()]
    columns["name"], columns["name_from"] = _best_names(names, ends, columns["start"].tolist(), found)
    order = pa.array(np.argsort(columns["flow"]))
    arrays = {name: pa.array(columns[name], FLOWS.field(name).type).take(order) for name in columns}
    arrays |= _read(names, order)
    return pa.table([arrays[column.name] for column in FLOWS], schema=FLOWS)


def _read(names: Sequence[Names], order: pa.Array) -> dict[str, pa.Array]:
    """The columns of what was read, in this order: flows that say the same share one object."""
    places: dict[int, int] = {}
    shared = pa.array([places.setdefault(id(one), len(places)) for one in names], pa.int64()).take(order)
    once = list({id(one): one for one in names}.values())
    columns = {name: pa.array(map(attrgetter(name), once), FLOWS.field(name).type) for name in _READ}
    return {name: column.take(shared) for name, column in columns.items()}


def _best_names(
    names: Sequence[Names], ends: tuple[list[str], list[str]], starts: list[int], found: Sequence[Lookup]
) -> tuple[list[str | None], list[str | None]]:
    """The best name of each server, and where it is from: the flow itself, else what DNS said of the address."""
    own = [_own_name(one) for one in names]
    nameless = {server for (name, _), server in zip(own, ends[1], strict=True) if name is None}
    resolved = Resolved(found, ends[0], nameless)
    for slot, (name, _) in enumerate(own):
        if name is None:
            said = resolved.name(ends[0][slot], ends[1][slot], starts[slot])
            own[slot] = said, "dns" if said else None
    return [name for name, _ in own], [source for _, source in own]


def _own_name(read: Names) -> tuple[str | None, str | None]:
    """The server's name as the flow tells it, and where; the Host of a CONNECT names somebody else."""
    if read.sni:
        return read.sni, "sni"
    return (read.host, "host") if read.host and read.method != "CONNECT" else (None, None)


def measured(flows: Flows) -> dict[str, Any]:
    """The columns that are counted, by slot."""
    packets, starts, up = flows.packets, flows.starts, flows.up
    upward = up[starts]
    packets_up, bytes_up = flows.total(up), flows.total(np.where(up, flows.fresh, 0))
    columns: dict[str, Any] = {
        "flow": flows.number,
        "start": packets.time[starts],
        "end": packets.time[flows.stops - 1],
        "client_port": np.where(upward, packets.sport[starts], packets.dport[starts]).astype(np.int32),
        "server_port": np.where(upward, packets.dport[starts], packets.sport[starts]).astype(np.int32),
        "proto": packets.proto[starts],
        "packets_up": packets_up,
        "packets_down": flows.stops - starts - packets_up,
        "bytes_up": bytes_up,
        "bytes_down": flows.total(flows.fresh) - bytes_up,
    }
    spoke = (columns["bytes_up"] > 0) & (columns["bytes_down"] > 0)
    both = (columns["packets_up"] > 0) & (columns["packets_down"] > 0)
    columns["established"] = np.where(columns["proto"] == TCP, _shaken(flows) | spoke, both)
    return columns


def _shaken(flows: Flows) -> NDArray[np.bool_]:
    """Per slot whether the client's SYN was answered with SYN-ACK."""
    kind = flows.packets.flags & (SYN | ACK | RST)
    asked, answered = np.zeros(len(flows), bool), np.zeros(len(flows), bool)
    asked[flows.slot[(kind == SYN) & flows.up]] = True
    answered[flows.slot[(kind == (SYN | ACK)) & ~flows.up]] = True
    return asked & answered
