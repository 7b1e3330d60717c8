"""The tables of a recording as they read in the merged capture: times shifted, addresses and ports exchanged.

Rule: nothing is added and nothing left out here; a table that a recording lacks is lacking afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.contract import SCHEMAS
from lab.injecting.census import Census
from lab.injecting.heads import TCP
from lab.injecting.places import Places
from lab.parquet import write_parquet
from lab.truth import Truth

TIMES = ("time", "start", "end", "answered", "last_interaction")
#: Of a table its ends: column of the address, column of the port.
ENDS = {
    "sockets": (("local_address", "local_port"), ("peer_address", "peer_port")),
    "http": (("client", "client_port"), ("server", "server_port")),
    "flows": (("client", "client_port"), ("server", "server_port")),
}


def moved(table: pa.Table, name: str, places: Places, shift: int) -> pa.Table:
    """The table with its times, addresses and ports as they are in the merged capture."""
    for column in TIMES:
        if column in table.column_names:
            place = table.column_names.index(column)
            table = table.set_column(place, column, pc.add(table[column], pa.scalar(shift, pa.int64())))
    for address, port in ENDS.get(name, ()):
        olds, numbers = table[address].to_pylist(), table[port].to_pylist()
        news = [places.address(old) for old in olds]
        ports = [places.port(old, number) for old, number in zip(olds, numbers, strict=True)]
        table = table.set_column(table.column_names.index(address), address, pa.array(news, pa.string()))
        table = table.set_column(table.column_names.index(port), port, pa.array(ports, pa.int32()))
    return table


def write_telemetry(source: Path, target: Path, places: Places, shift: int, devices: pa.Table) -> None:
    """Writes the sensors' tables of a recording; ``devices`` are rows of sockets for the background's hosts."""
    for name in ("sockets", "device_state", "packages", "http"):
        path = source / f"{name}.parquet"
        if path.is_file():
            table = moved(pq.read_table(path), name, places, shift)
            if name == "sockets":
                table = pa.concat_tables([table.cast(devices.schema), devices])
                table = table.take(pa.array(np.argsort(table["time"].to_numpy(), kind="stable")))
            write_parquet(target / f"{name}.parquet", table)


def sightings(census: Census, places: Places) -> pa.Table:
    """Rows of sockets for the background's hosts, of whom only packets are known: the first flow of each that asks.

    Without them a detector would leave out the flows of all hosts that have no sensor. Nobody knows whose app it was.
    """
    talks = census.talks()
    client, server = talks.ends()
    v6 = (talks.kind & 1).astype(np.bool_)
    order = np.argsort(talks.first, kind="stable")
    _, first = np.unique((client[order] >> 16) * 2 + v6[order], return_index=True)
    rows = order[first]
    asks, answers = census.texts(v6[rows], client[rows] >> 16), census.texts(v6[rows], server[rows] >> 16)
    own = set(places.addresses.values())
    heard = {address for address, _ in census.clients()}
    found = []
    for k, row in enumerate(rows.tolist()):
        if asks[k] in heard and asks[k] not in own:
            here = {"device": asks[k], "local_address": asks[k], "local_port": int(client[row] & 0xFFFF)}
            there = {"peer_address": answers[k], "peer_port": int(server[row] & 0xFFFF)}
            proto = "tcp" if talks.kind[row] >> 1 == TCP else "udp"
            found.append({**here, **there, "time": int(talks.first[row]), "event": "connect", "proto": proto})
    return pa.Table.from_pylist(found, schema=SCHEMAS["sockets"])


def moved_truth(truth: Truth, places: Places, shift: int) -> Truth:
    """The truth of a recording as it is in the merged capture."""
    incidents = tuple(
        replace(
            one,
            start=one.start + shift,
            end=one.end + shift,
            peers=tuple(sorted({places.address(peer) or peer for peer in one.peers})),
        )
        for one in truth.incidents
    )
    return replace(
        truth,
        incidents=incidents,
        devices={name: places.address(address) or address for name, address in truth.devices.items()},
        further={places.address(address) or address: name for address, name in truth.further.items()},
        contacts={name: tuple(time + shift for time in times) for name, times in truth.contacts.items()},
        start=truth.start + shift,
    )
