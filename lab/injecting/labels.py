"""The truth of every flow in a merged capture: the recording's own, and the background's, of which nothing is known.

A background flow is neither benign nor malicious: its behaviour is ``background``, its label ``Background``. It has one
row per five-tuple, from its first packet to its last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lab.injecting.census import Census, Talks
from lab.injecting.heads import TCP
from lab.injecting.injected import Injected, Pieces
from lab.injecting.places import Places
from lab.injecting.tables import moved
from lab.parquet import parquet_writer
from lab.stages.conn_log import ZEEK
from lab.stages.labels import FLOWS
from lab.store import write_atomic
from lab.truth import BACKGROUND

_FLOW = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto")
ROWS = 1 << 15  # of the background's flows written or turned into text at a time
Flow = tuple[str, str, str, str, str]  # of the recording, before anything was exchanged: columns _FLOW
Extra = Mapping[Flow, list[tuple[int, int, int, int, int]]]  # time, packets and bytes of headers more, up and down


@dataclass(frozen=True)
class Moves:
    """How rows of a recording's conn.log change; ``extra`` is what pieces of segments add to the counts of flows."""

    places: Places
    shift: int
    extra: Extra


def write_flows(source: Path, target: Path, places: Places, shift: int, census: Census) -> int:
    """Writes truth/flows.parquet of the merged capture; returns how many rows are the background's."""
    own = moved(pq.read_table(source), "flows", places, shift).cast(FLOWS)
    talks = census.talks()

    def write(file: BinaryIO) -> None:
        with parquet_writer(file, FLOWS) as writer:
            writer.write_table(own.replace_schema_metadata(None))
            for begin in range(0, len(talks.low), ROWS):
                writer.write_table(background_flows(census, talks.part(begin, begin + ROWS)))

    write_atomic(target, write)
    return len(talks.low)


def background_flows(census: Census, talks: Talks) -> pa.Table:
    """Five-tuples of the background as rows of truth/flows.parquet; the device is the client's address."""
    client, server = talks.ends()
    v6 = (talks.kind & 1).astype(np.bool_)
    asks, answers = census.texts(v6, client >> 16), census.texts(v6, server >> 16)
    count = len(talks.low)
    columns = {
        "device": asks,
        "client": asks,
        "client_port": client & 0xFFFF,
        "server": answers,
        "server_port": server & 0xFFFF,
        "proto": np.where(talks.kind >> 1 == TCP, "tcp", "udp"),
        "start": talks.first,
        "end": talks.last,
        "incident": pa.nulls(count, pa.string()),
        "behaviour": [BACKGROUND] * count,
    }
    return pa.table({name: pa.array(column, FLOWS.field(name).type) for name, column in columns.items()}, FLOWS)


def write_log(source: Path, target: Path, moves: Moves, census: Census) -> None:
    """Writes truth/conn.log.labeled of the merged capture."""

    def write(file: BinaryIO) -> None:
        with source.open() as lines:
            file.writelines((line if line.startswith("#") else _moved_row(line, moves)).encode() for line in lines)
        file.writelines(("\t".join(row) + "\n").encode() for row in _background_rows(census))

    write_atomic(target, write)


def _moved_row(line: str, moves: Moves) -> str:
    row = dict(zip(ZEEK, line.rstrip("\n").split("\t"), strict=True))
    flow: Flow = tuple(row[name] for name in _FLOW)  # type: ignore[assignment]  # five columns
    begin = _microseconds(row["ts"])
    end = begin + _microseconds(row["duration"])
    for time, *more in moves.extra.get(flow, ()):
        if begin <= time <= end:
            for name, count in zip(("orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"), more, strict=True):
                row[name] = str(int(row[name]) + count)
    row["ts"] = _seconds(begin + moves.shift)
    for side in ("orig", "resp"):
        address, port = row[f"id.{side}_h"], row[f"id.{side}_p"]
        row[f"id.{side}_h"] = moves.places.address(address) or address
        row[f"id.{side}_p"] = str(moves.places.port(address, int(port)))
    return "\t".join(row.values()) + "\n"


def _background_rows(census: Census) -> Iterator[list[str]]:
    """The background's five-tuples; what Zeek would have to follow a connection for is left unset."""
    names = ("client", "client_port", "server", "server_port", "proto", "start", "end")
    whole = census.talks()
    for begin in range(0, len(whole.low), ROWS):
        talks = whole.part(begin, begin + ROWS)
        low, flows = talks.client_low, background_flows(census, talks)
        sides = ((talks.bytes_low, talks.bytes_high), (talks.packets_low, talks.packets_high))
        counts = [np.where(low, one, other) for pair in sides for one, other in (pair, pair[::-1])]
        columns = [*(flows[name].to_pylist() for name in names), *(count.tolist() for count in counts)]
        for client, port, server, to, proto, start, end, sent, got, packets, answers in zip(*columns, strict=True):
            uid = hashlib.sha256(f"{client}/{port}/{server}/{to}/{proto}".encode()).hexdigest()[:17]
            head = [_seconds(start), f"C{uid}", client, str(port), server, str(to), proto, "-", _seconds(end - start)]
            rest = [str(sent), str(got), "OTH", "-", "-", "0", "-", str(packets), "-", str(answers), "-", "-"]
            yield [*head, *rest, BACKGROUND.capitalize(), BACKGROUND]


def _microseconds(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 1_000_000 + int(rest.ljust(6, "0")[:6])


def _seconds(time_us: int) -> str:
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def extra_of(injected: Injected, cut: Pieces) -> Extra:
    """What pieces add to the counts of flows, by the flow's ends as the recording has them."""
    rows = np.flatnonzero(cut.begin > 0)
    found: dict[Flow, list[tuple[int, int, int, int, int]]] = {}
    if not len(rows):
        return found
    some = injected.heads.take(cut.source[rows])
    sources, targets = injected.ends(source=True), injected.ends(source=False)
    columns = (cut.source[rows], some.sport, some.dport, some.time, some.payload - some.ip)  # the last: its headers
    for packet, sport, dport, time, size in zip(*(column.tolist() for column in columns), strict=True):
        ends = (sources[packet], str(sport), targets[packet], str(dport), "tcp")
        against = (*ends[2:4], *ends[:2], "tcp")
        found.setdefault(ends, []).append((time, 1, size, 0, 0))
        found.setdefault(against, []).append((time, 0, 0, 1, size))
    return found
