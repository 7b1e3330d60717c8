"""Which incidents no row of a telemetry shows: whoever has only that telemetry cannot find them, however clever.

Pure: truth and tables in, names of incidents out. An incident is shown where a flow, look-up or socket is its device's,
of its app (where that row knows apps) and with one of its peers. A tunnel of the phone's, a resolver that is asked in
private and a sampled or narrowed sensor hide it. What is shown may still be too little to judge by: that is a miss.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from detector.contract import Telemetry
from lab.truth import Truth, TruthIncident

#: (table, columns that name the device, columns that name the peer); look-ups know no app.
SHOWING = (
    ("flows", "device", ("server", "client", "name", "sni", "host")),
    ("sockets", "device", ("peer_address",)),
    ("dns", "client", ("qname",)),
)
Row = tuple[str, int | None, str]  # device, uid (None: not known), peer


def unseen(truth: Truth, telemetry: Telemetry) -> tuple[str, ...]:
    """The incidents of which this telemetry holds no row, in truth's order."""
    if not truth.incidents:
        return ()
    rows = {row for one in SHOWING if one[0] in telemetry for row in _rows(telemetry[one[0]], one[1:], truth)}
    return tuple(one.incident for one in truth.incidents if not _shown(one, rows))


def _shown(incident: TruthIncident, rows: set[Row]) -> bool:
    owners = (incident.uid, None)
    return any((incident.device, uid, peer.lower()) in rows for peer in incident.peers for uid in owners)


def _rows(table: pa.Table, columns: tuple[str, tuple[str, ...]], truth: Truth) -> Iterator[Row]:
    """Each (device, app, peer) once; of a name asked for, the domains it lies under too: polls ask below their own."""
    device, peers = columns
    for peer in peers:
        keys = [device, *(["uid"] if "uid" in table.column_names else []), peer]
        for row in table.select(keys).group_by(keys).aggregate([]).to_pylist():
            if row[peer] is None:
                continue
            who = truth.device_name(row[device]) or row[device]
            name = row[peer].rstrip(".").lower()
            for said in _above(name) if peer == "qname" else (name,):
                yield who, row.get("uid"), said


def _above(name: str) -> Iterator[str]:
    labels = name.split(".")
    return (".".join(labels[begin:]) for begin in range(len(labels) - 1))
