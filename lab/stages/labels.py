"""The truth of every conversation, one row each: as a table, and as Zeek's conn.log with label columns.

For scores and for tools that learn from labelled Zeek logs (Slips, netflowlabeler); never in telemetry/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lab.recording import write_atomic, write_parquet
from lab.stages.addresses import address_codes
from lab.stages.link import Bytes, Int64, Links
from lab.stages.segments import Ends, Packets
from lab.timeline import Timeline
from lab.world.dual_stack import PHONES

_LETTERS = (b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" * 5)[:256]  # for each byte one of 62
_SERVICES = {
    "http": "http",
    "websocket": "http",
    "dns": "dns",
    "imap": "imap",
    "smtp": "smtp",
    "connect": "http",
    "socks": "socks",
    "socks4": "socks",
    "socks5": "socks",
    "dns_tcp": "dns",
    "mdns": "dns",
    "mqtt": "mqtt",
    "ntp": "ntp",
    "quic": "quic",
    "sip": "sip",
}

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

#: Zeek's conn.log (scripts/base/protocols/conn/main.zeek) with the two columns of netflowlabeler.
ZEEK = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "proto": "enum",
    "service": "string",
    "duration": "interval",
    "orig_bytes": "count",
    "resp_bytes": "count",
    "conn_state": "string",
    "local_orig": "bool",
    "local_resp": "bool",
    "missed_bytes": "count",
    "history": "string",
    "orig_pkts": "count",
    "orig_ip_bytes": "count",
    "resp_pkts": "count",
    "resp_ip_bytes": "count",
    "tunnel_parents": "set[string]",
    "label": "string",
    "detailedlabel": "string",
}


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


def write_labels(timeline: Timeline, places: Places, carried: Carried, folder: Path) -> None:
    """Writes flows.parquet and conn.log.labeled into the truth folder."""
    flows = write_flows(timeline, places, carried, folder)
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
    head += ["#fields\t" + "\t".join(ZEEK), "#types\t" + "\t".join(ZEEK.values())]
    rows = ["\t".join(row) for row in zeek_rows(timeline, flows, carried)]
    write_atomic(folder / "conn.log.labeled", ("\n".join(head + rows) + "\n").encode())


def write_flows(timeline: Timeline, places: Places, carried: Carried, folder: Path) -> pa.Table:
    """Writes flows.parquet into the truth folder, and gives it back."""
    flows = flows_table(timeline, places, carried)
    write_parquet(folder / "flows.parquet", flows)
    return flows


def flows_table(timeline: Timeline, places: Places, carried: Carried) -> pa.Table:
    """The conversations with incident (null: benign) and behaviour, in the timeline's order."""
    said = timeline.conversations
    device = np.array([timeline.devices[app.device].name for app in timeline.apps], dtype=object)
    incidents = np.array([*(one.incident for one in timeline.incidents), ""], dtype=object)
    columns: dict[str, Any] = {
        "device": device[said.app],
        "client": places.client,
        "client_port": pa.array(places.client_port, pa.int32(), mask=places.client_port < 0),
        "server": places.server,
        "server_port": places.server_port,
        "proto": np.where(places.tcp, "tcp", "udp").astype(object),
        "start": places.start,
        "end": carried.end,
        "incident": pa.array(incidents[said.incident], pa.string(), mask=said.incident < 0),
        "behaviour": np.array(timeline.behaviours, dtype=object)[said.behaviour],
    }
    made = {name: c if isinstance(c, pa.Array) else pa.array(c, FLOWS.field(name).type) for name, c in columns.items()}
    return pa.table(made, FLOWS)


def zeek_rows(timeline: Timeline, flows: pa.Table, carried: Carried) -> Iterator[list[str]]:
    """The columns of ZEEK, as text, of each conversation that had a socket."""
    analytic = {one.incident: one.analytic for one in timeline.incidents}
    speech, carrier = timeline.conversations.speech.tolist(), timeline.conversations.carrier.tolist()

    def zeek_uid(number: int) -> str:
        return _zeek_uid(f"{timeline.scenario_sha256}/{timeline.seed}/{number}")

    counts = zip(*(getattr(carried, f.name).tolist() for f in fields(Carried)[1:]), strict=True)
    for index, (row, (up, down, sent, received)) in enumerate(zip(flows.to_pylist(), counts, strict=True)):
        if row["client_port"] is None:
            continue
        kind = timeline.speeches[speech[index]]
        tcp, label = row["proto"] == "tcp", row["incident"] is not None
        header = (40 if tcp else 28) + 20 * (":" in row["client"])
        extra = 12 if tcp else 0  # options of the SYN
        local = [str(row[side].startswith(("10.88.", PHONES)))[0] for side in ("client", "server")]
        yield [
            _seconds(row["start"]),
            zeek_uid(index),
            *(str(row[name]) for name in ("client", "client_port", "server", "server_port", "proto")),
            "ssl" if kind.tls else _SERVICES.get(kind.protocol, "-"),
            _seconds(row["end"] - row["start"]),
            str(up),
            str(down),
            "SF" if received else "S0",
            *local,
            "0",
            ("ShADadFf" if tcp else "Dd") if received else "D",
            str(sent),
            str(up + header * sent + extra),
            str(received),
            str(down + (header * received + extra if received else 0)),
            zeek_uid(carrier[index]) if carrier[index] >= 0 else "-",
            "Malicious" if label else "Benign",
            f"{analytic[row['incident']]}-{row['behaviour']}" if label else row["behaviour"],
        ]


def _seconds(time_us: int) -> str:
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def _zeek_uid(key: str) -> str:
    return "C" + hashlib.sha256(key.encode()).digest()[:17].translate(_LETTERS).decode("ascii")
