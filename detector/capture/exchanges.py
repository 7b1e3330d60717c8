"""Requests and responses inside flows.

A new exchange begins when the client speaks after the server, or when the same side speaks again after more than
EXCHANGE_IDLE_US; a late answer belongs to its request. In UDP DNS every query is an exchange, and an answer belongs
to the query with its identifier; a query that is sent again before its answer is the same, and counts once. What
TLS says on its own account is in no exchange.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from detector.capture.application import spoken
from detector.capture.flows import Flows, Ints, dns_flows
from detector.capture.mapped import MappedFile
from detector.contract import EXCHANGE_IDLE_US, SCHEMAS

RESENT_US = 60_000_000  # no resolver waits longer for an answer (our choice; BIND's dig and Android: 5 s)


def exchange_table(flows: Flows, file: MappedFile) -> pa.Table:
    """The exchanges of the flows, by flow and time."""
    packets = flows.packets
    said = spoken(flows, file)
    event = np.flatnonzero(said)
    ident = np.zeros(len(event), np.int64)
    query = dns_flows(flows)[flows.slot[event]]
    some = np.flatnonzero(query)
    if len(some):
        ident[some] = file.gather(packets.at[event[some]], 2).view(">u2").ravel()
        order = np.lexsort((event[some], ident[some], flows.slot[event[some]]))
        event[some], ident[some] = event[some[order]], ident[some[order]]
    size = said[event]
    slot, up, time = flows.slot[event], flows.up[event], packets.time[event]
    begins = np.ones(len(event), bool)
    turn = up[1:] != up[:-1]
    begins[1:] = (slot[1:] != slot[:-1]) | (ident[1:] != ident[:-1]) | (up[1:] & (turn | query[1:]))
    begins[1:] |= ~turn & (time[1:] - time[:-1] > EXCHANGE_IDLE_US)
    again = _again(query & up, (slot, ident, size), time)
    begins &= ~again
    size[again] = 0
    columns = _columns(size, up, time, np.flatnonzero(begins))
    columns["flow"] = flows.number[slot[begins]]
    order = np.lexsort((columns["start"], columns["flow"]))
    silent = columns.pop("silent")[order] != 0
    arrays = {name: pa.array(column[order]) for name, column in columns.items() if name != "first_down"}
    arrays["first_down"] = pa.array(columns["first_down"][order], mask=silent)
    schema = SCHEMAS["exchanges"]
    return pa.table([arrays[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _again(query: NDArray[np.bool_], same: tuple[NDArray[Any], ...], time: Ints) -> NDArray[np.bool_]:
    """Which queries only repeat the one before: alike in all columns of ``same``, with no answer in between."""
    found = np.zeros(len(query), bool)
    found[1:] = query[1:] & query[:-1] & (time[1:] - time[:-1] <= RESENT_US)
    for column in same:
        found[1:] &= column[1:] == column[:-1]
    return found


def _columns(size: NDArray[Any], up: NDArray[np.bool_], time: Ints, starts: Ints) -> dict[str, Ints]:
    """The columns of exchanges whose events begin at ``starts``; ``silent`` is 1 where nothing came down."""
    if not len(starts):
        nothing = ("start", "end", "bytes_up", "bytes_down", "packets_up", "packets_down", "first_down", "silent")
        return {name: np.zeros(0, np.int64) for name in nothing}
    stops = np.append(starts[1:], len(up))
    down_at = np.append(np.flatnonzero(~up), len(up))
    first = down_at[np.searchsorted(down_at, starts)]
    bytes_up, packets_up = _sums(np.where(up, size, size.dtype.type(0)), starts), _sums(up, starts)
    return {
        "start": time[starts],
        "end": time[stops - 1],
        "bytes_up": bytes_up,
        "bytes_down": _sums(size, starts) - bytes_up,
        "packets_up": packets_up,
        "packets_down": stops - starts - packets_up,
        "first_down": time[np.minimum(first, len(time) - 1)],
        "silent": (first >= stops).astype(np.int64),
    }


def _sums(values: NDArray[Any], starts: Ints) -> Ints:
    """The sums of the values from each start to the next."""
    sums: Ints = np.add.reduceat(values, starts, dtype=np.int64)
    return sums
