"""A phone that tells which app each flow belongs to (PCAPdroid), put into the words of socket events.

Pure. The phone is at one end of every flow it tells of, so its addresses are those that flows have in common.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import Int64, codes
from detector.tables import SCHEMAS

MOST_ADDRESSES = 64


def phone_sockets(flows: pa.Table, uids: pa.Table) -> pa.Table:
    """A connect or accept event for every flow: SCHEMAS["sockets"], devices by address. ``uids`` has flow and uid."""
    near = _phone_ends(flows)
    local, remote = (_of(flows, near, one, other) for one, other in (("client", "server"), ("server", "client")))
    ports = [
        _of(flows, near, f"{one}_port", f"{other}_port") for one, other in (("client", "server"), ("server", "client"))
    ]
    uid = uids["uid"].take(pc.index_in(flows["flow"], value_set=uids["flow"].combine_chunks()))
    columns = {
        "time": flows["start"],
        "device": local,
        "uid": uid,
        "event": pc.if_else(pa.array(near), "connect", "accept"),
        "proto": flows["proto"],
        "local_address": local,
        "local_port": ports[0],
        "peer_address": remote,
        "peer_port": ports[1],
    }
    schema = SCHEMAS["sockets"]
    count = flows.num_rows
    arrays = [columns[one.name] if one.name in columns else pa.nulls(count, one.type) for one in schema]
    return pa.table(arrays, names=schema.names).cast(schema)


def phone_packages(sockets: pa.Table, packages: Mapping[int, tuple[str | None, str | None]]) -> pa.Table | None:
    """The packages table of what is known of uids: (package, label) each; None where no package is."""
    rows = [
        {"device": device, "uid": uid, "package": package, "label": label, "roles": []}
        for device in sorted(set(sockets["device"].to_pylist()))
        for uid, (package, label) in sorted(packages.items())
        if package
    ]
    return pa.Table.from_pylist(rows, SCHEMAS["packages"]) if rows else None


def _of(flows: pa.Table, near: np.ndarray[tuple[int], np.dtype[np.bool_]], one: str, other: str) -> pa.ChunkedArray:
    return pc.if_else(pa.array(near), flows[one], flows[other])


def _phone_ends(flows: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) whether the client of each flow is the phone: the fewest addresses that have an end in all of them.

    Taken one after another: the one that has all flows that none before it has, else the one that dials most of them.
    """
    client, server = codes(flows["client"]), codes(flows["server"])
    texts = sorted({*client.texts, *server.texts})
    place = {text: k for k, text in enumerate(texts)}
    ends: list[Int64] = [
        np.array([place[text] for text in one.texts] + [len(texts)])[one.code] for one in (client, server)
    ]
    near = np.ones(len(client.code), np.bool_)
    open_ = np.ones(len(near), np.bool_)
    for _ in range(MOST_ADDRESSES):
        if not open_.any():
            break
        counts = [np.bincount(end[open_], minlength=len(texts) + 1) for end in ends]
        both = counts[0] + counts[1]
        best = int(np.lexsort((both, counts[0], both == open_.sum()))[-1])
        mine = open_ & ((ends[0] == best) | (ends[1] == best))
        near[mine] = ends[0][mine] == best
        open_ &= ~mine
    return near
