"""Which name a server's address was last said to have, to this client or, failing that, to anyone.

The same rule as for captures (detector/capture/dns.py, Resolved), for all flows at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Int64, codes, ordered, whole


def names_by_answer(flows: pa.Table, dns: pa.Table) -> pa.Array:
    """(n,) the name whose answer held the server's address latest, not after the flow's start; null where none did."""
    lists = dns["answers"].combine_chunks()
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    parent = np.asarray(pc.list_parent_indices(lists), np.int64)
    server, client = codes(flows["server"]), codes(flows["client"])
    held = _places(pc.list_flatten(lists), server.texts)
    asker = _places(dns["client"], client.texts)[parent]
    time = whole(dns["answered"], np.iinfo(np.int64).min)[parent]
    known = (held != NULL) & (time != np.iinfo(np.int64).min)
    parent, held, asker, time = parent[known], held[known], asker[known], time[known]
    start, many = whole(flows["start"]), len(client.texts) + 1
    own = _last(held * many + asker, time, server.code * many + client.code, start)
    any_ = _last(held, time, server.code, start)
    row = np.where(own != NULL, own, any_)
    found = pa.array(parent[np.maximum(row, 0)] if len(parent) else np.zeros(len(row), np.int64), mask=row == NULL)
    return dns["qname"].combine_chunks().take(found)


def _places(column: pa.ChunkedArray | pa.Array, texts: list[str]) -> Int64:
    """The place of each text in a list; NULL where it is not there."""
    found = pc.index_in(column, value_set=pa.array(texts, pa.string()))
    return np.asarray(
        found.fill_null(NULL).to_numpy(zero_copy_only=False)
        if isinstance(found, pa.Array)
        else found.fill_null(NULL).to_numpy(),
        np.int64,
    )


def _last(keys: Int64, times: Int64, wanted: Int64, at: Int64) -> Int64:
    """(m,) the row of the last event of the wanted key that is not after its time; NULL where there is none."""
    count = len(keys)
    if not count:
        return np.full(len(wanted), NULL, np.int64)
    key, time = np.concatenate((keys, wanted)), np.concatenate((times, at))
    asks = np.concatenate((np.zeros(count, np.int64), np.ones(len(wanted), np.int64)))
    order = ordered(key, time, asks)
    event: npt.NDArray[np.bool_] = order < count
    before = np.maximum.accumulate(np.where(event, np.arange(len(order)), NULL))
    row = order[np.maximum(before, 0)]
    fits = (before != NULL) & (key[row] == key[order])
    out = np.full(len(wanted), NULL, np.int64)
    out[order[~event] - count] = np.where(fits, row, NULL)[~event]
    return out
