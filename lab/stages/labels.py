"""The truth of every conversation, one row each, as a table: for scores, never in telemetry/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lab.recording import write_parquet
from lab.stages.addresses import address_codes
from lab.stages.link import Bytes, Int64, Links
from lab.stages.segments import Ends, Packets
from lab.stages.texts import taken
from lab.timeline import Timeline

FLOWS = pa.schema(
    [
        ("device", pa.string()),
        ("client", pa.string()),
        ("client_port", pa.int32()),
        ("server", pa.string()),
        ("server_port", pa.int32()),
        ("proto", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("incident", pa.string()),
        ("behaviour", pa.string()),
    ]
)


@dataclass(frozen=True)
class Places:
    """Between which ends and since when each conversation was; a port is -1 where there never was a socket."""

    client: npt.NDArray[np.object_]  # addresses as text
    client_port: Int64
    server: npt.NDArray[np.object_]
    server_port: Int64
    tcp: npt.NDArray[np.bool_]
    start: Int64

    @classmethod
    def of(cls, timeline: Timeline, links: Links) -> Places:
        """As the timeline has them."""
        here, there, inbound = addresses(links.local, links.book), addresses(links.remote, links.book), links.inbound
        return cls(
            client=np.where(inbound, there, here),
            client_port=np.where(inbound, links.remote_port, links.local_port),
            server=np.where(inbound, here, there),
            server_port=np.where(inbound, links.local_port, links.remote_port),
            tcp=links.tcp,
            start=timeline.conversations.start,
        )


@dataclass(frozen=True)
class Carried:
    """What the packets of each conversation came to; ``end`` is its last packet, its start if it had none."""

    end: Int64
    bytes_up: Int64
    bytes_down: Int64
    packets_up: Int64
    packets_down: Int64

    @classmethod
    def of(cls, ends: Ends, packets: Packets) -> Carried:
        """Counts of a slice's conversations."""
        count = len(ends.start)
        up = packets.local != ends.inbound[packets.conversation]
        last = ends.start.copy()
        np.maximum.at(last, packets.conversation, packets.time)
        sizes = [_summed(packets.conversation, packets.length * side, count) for side in (up, ~up)]
        numbers = [_summed(packets.conversation, side.astype(np.int64), count) for side in (up, ~up)]
        return cls(last, *sizes, *numbers)

    def add(self, packets: Packets, inbound: npt.NDArray[np.bool_]) -> None:
        """Counts more packets in place; ``packets.conversation`` are rows here and of ``inbound``."""
        up = packets.local != inbound[packets.conversation]
        np.maximum.at(self.end, packets.conversation, packets.time)
        for side, size, number in ((up, self.bytes_up, self.packets_up), (~up, self.bytes_down, self.packets_down)):
            np.add.at(size, packets.conversation[side], packets.length[side])
            np.add.at(number, packets.conversation[side], 1)

    @classmethod
    def joined(cls, parts: list[Carried]) -> Carried:
        """The slices' counts, one after the other."""
        none = np.zeros(0, dtype=np.int64)
        return cls(*(np.concatenate([none, *(getattr(part, f.name) for part in parts)]) for f in fields(cls)))


def _summed(index: Int64, weight: Int64, count: int) -> Int64:
    return np.bincount(index, weights=weight, minlength=count).astype(np.int64)


def addresses(packed: Bytes, book: Sequence[str] = ()) -> npt.NDArray[np.object_]:
    """The addresses in the last four octets of each row of a link, as text; ``book`` are the link's."""
    codes, texts = address_codes(packed, book)
    return np.array(texts, dtype=object)[codes]


def write_flows(timeline: Timeline, places: Places, carried: Carried, folder: Path) -> pa.Table:
    """Writes flows.parquet into the truth folder, and gives it back."""
    flows = flows_table(timeline, places, carried)
    write_parquet(folder / "flows.parquet", flows)
    return flows


def flows_table(timeline: Timeline, places: Places, carried: Carried) -> pa.Table:
    """The conversations with incident (null: benign) and behaviour, in the timeline's order."""
    said = timeline.conversations
    columns: dict[str, Any] = {
        "device": taken([timeline.devices[app.device].name for app in timeline.apps], said.app),
        "client": places.client,
        "client_port": pa.array(places.client_port, pa.int32(), mask=places.client_port < 0),
        "server": places.server,
        "server_port": places.server_port,
        "proto": taken(("udp", "tcp"), places.tcp.astype(np.int8)),
        "start": places.start,
        "end": carried.end,
        "incident": taken([one.incident for one in timeline.incidents], said.incident),
        "behaviour": taken(timeline.behaviours, said.behaviour),
    }
    made = {name: c if isinstance(c, pa.Array) else pa.array(c, FLOWS.field(name).type) for name, c in columns.items()}
    return pa.table(made, FLOWS)
