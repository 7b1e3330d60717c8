"""The tables flows and exchanges as an agent and a reader of captures would have made them, of pieces and names.

Nothing here may look at incident or behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.capture.names import Names
from detector.contract import SCHEMAS
from lab.stages.addresses import address_codes
from lab.stages.flows.pieces import Exchanged, Pieces
from lab.stages.flows.reading import COLUMNS
from lab.stages.link import Links
from lab.stages.texts import taken
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

TOLERANCE_US = 2_000_000  # an agent's socket and the first packet of its flow are told to be one within this


@dataclass(frozen=True)
class Sides:
    """Client and server of every conversation: codes of addresses, and ports."""

    client: Int64
    server: Int64
    client_port: Int64
    server_port: Int64
    tcp: Bool
    texts: list[str]

    @classmethod
    def of(cls, links: Links) -> Sides:
        """As the links have them."""
        code, texts = address_codes(np.concatenate([links.local, links.remote]), links.book)
        here, there = code[: len(links.local)], code[len(links.local) :]
        into = links.inbound
        return cls(
            client=np.where(into, there, here),
            server=np.where(into, here, there),
            client_port=np.where(into, links.remote_port, links.local_port),
            server_port=np.where(into, links.local_port, links.remote_port),
            tcp=links.tcp.astype(np.bool_),
            texts=texts,
        )


@dataclass(frozen=True)
class Known:
    """What is read in each conversation: ``which`` of the ``names``; hosts' names are looked up.

    ``later`` says which is read in each piece that is not its conversation's first.
    ``resolved`` says of every conversation the code among ``looked_up`` of its server's name, -1 where nobody asked.
    """

    names: Sequence[Names]
    which: Int64
    later: Int64
    looked_up: Sequence[str]
    resolved: Int64


def numbers_of(pieces: Pieces) -> Int64:
    """The number of each flow: its place in the order of first packets."""
    number = np.empty(len(pieces.start), dtype=np.int64)
    number[np.argsort(pieces.start, kind="stable")] = np.arange(len(number))
    return number


def flows_table(timeline: Timeline, sides: Sides, pieces: Pieces, known: Known) -> pa.Table:
    """The flows of every device, by number: two rows where both ends are monitored."""
    said, number = timeline.conversations, numbers_of(pieces)
    order = np.argsort(number)
    owner = _owners(timeline, sides)
    far = np.where(said.inbound, owner[sides.client], owner[sides.server])[pieces.conversation[order]]
    order, far = (np.repeat(column, 1 + (far >= 0)) for column in (order, far))
    again = np.zeros(len(order), dtype=np.bool_)
    again[1:] = order[1:] == order[:-1]
    of, turned = pieces.conversation[order], pieces.turned[order]
    inbound = said.inbound[of] != turned
    app = said.app[of]
    near = np.array([one.device for one in timeline.apps], dtype=np.int64)[app]
    late = (pieces.nth[order] > 0) | (np.abs(pieces.start[order] - said.start[of]) > TOLERANCE_US)
    # a socket for datagrams that is open still tells whose they are
    nobody = again | (sides.tcp[of] & (turned | (late & ~said.inbound[of])))
    columns: dict[str, Any] = {
        "flow": number[order],
        "device": taken([one.name for one in timeline.devices], np.where(again, far, near)),
        "inbound": inbound != again,
        "uid": taken([one.uid for one in timeline.apps], np.where(nobody, -1, app), pa.int32()),
        "package": taken([one.package for one in timeline.apps], np.where(nobody, -1, app)),
        "client": taken(sides.texts, np.where(turned, sides.server[of], sides.client[of])),
        "client_port": np.where(turned, sides.server_port[of], sides.client_port[of]),
        "server": taken(sides.texts, np.where(turned, sides.client[of], sides.server[of])),
        "server_port": np.where(turned, sides.client_port[of], sides.server_port[of]),
        "proto": taken(["tcp", "udp"], np.where(sides.tcp[of], 0, 1)),
    }
    counted = ("start", "end", "established", "packets_up", "packets_down", "bytes_up", "bytes_down")
    columns |= {name: getattr(pieces, name)[order] for name in counted}
    return table("flows", columns | _read(known, of, (pieces.nth[order] > 0, known.later[order]), inbound))


def _owners(timeline: Timeline, sides: Sides) -> Int64:
    """Of every address the device it belongs to, -1 for those of others."""
    mine = {text: number for number, one in enumerate(timeline.devices) for text in one.addresses}
    return np.array([mine.get(text, -1) for text in sides.texts], dtype=np.int64)


def _read(known: Known, of: Int64, later: tuple[Bool, Int64], inbound: Bool) -> dict[str, pa.Array]:
    """The columns of names; what goes on after a long silence tells its protocol at most."""
    names = known.names
    which = np.where(*later, known.which[of])
    columns = {
        name: taken([getattr(one, name) for one in names], which, SCHEMAS["flows"].field(name).type) for name in COLUMNS
    }
    own = [_own_name(one) for one in names]
    texts = [name for name, _ in own] + list(known.looked_up)
    sources = [source for _, source in own] + ["dns"] * len(known.looked_up)
    nameless = np.array([name is None for name, _ in own], dtype=np.bool_)[which]
    resolved = np.where(inbound, -1, known.resolved[of])
    best = np.where(nameless & (resolved >= 0), len(names) + resolved, which)
    return columns | {"name": taken(texts, best), "name_from": taken(sources, best)}


def _own_name(read: Names) -> tuple[str | None, str | None]:
    """The server's name as the flow tells it, and where; the Host of a CONNECT names somebody else."""
    if read.sni:
        return read.sni, "sni"
    return (read.host, "host") if read.host and read.method != "CONNECT" else (None, None)


def exchanges_table(exchanged: Exchanged, pieces: Pieces) -> pa.Table:
    """The exchanges, by flow and time; uses ``exchanged`` up, so that its columns are not there twice."""
    columns = vars(exchanged)
    flow = numbers_of(pieces)[columns.pop("piece")]
    order = np.lexsort((columns["start"], flow))
    made: dict[str, Any] = {"flow": pa.array(flow[order])}
    for name in list(columns):
        column = columns.pop(name)[order]
        made[name] = pa.array(column, SCHEMAS["exchanges"].field(name).type, mask=column < 0)
    return table("exchanges", made)


def table(name: str, columns: dict[str, Any]) -> pa.Table:
    """The columns as the contract has them."""
    schema = SCHEMAS[name]
    arrays = []
    for field in schema:
        found = columns[field.name]
        found = found if isinstance(found, pa.Array | pa.ChunkedArray) else pa.array(found)
        arrays.append(found if found.type == field.type else found.cast(field.type))
    return pa.table(arrays, schema=schema)
