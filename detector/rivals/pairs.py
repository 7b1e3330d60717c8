"""Pairs: who connects to whom, as the tools of others group it, and the windows of time in which they look at it.

One connection is one flow that a device opened to somebody: what happens inside a long one these tools do not see.
Group addresses and loopback are nobody, as for detector.contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contract import Telemetry
from detector.destinations import is_group, is_loopback

Column = Callable[[pa.Table], pa.ChunkedArray]


@dataclass(frozen=True)
class Who:
    """g groups of one kind: what a tool reports. uid and package are NULL where it does not group by process."""

    device: Codes
    uid: Int64
    package: Codes
    peer: Codes

    def __len__(self) -> int:
        return len(self.uid)


@dataclass(frozen=True)
class Pairs:
    """The n connections of g groups, group after group, in time order within each; times in microseconds."""

    who: Who
    edges: Int64  # (g + 1,) where the connections of each group begin
    start: Int64
    up: Int64  # L4 payload bytes, client to server
    down: Int64
    packets_up: Int64
    row: Int64  # of the flows table
    peer: Codes  # of each connection: not always the group's

    @property
    def group(self) -> Int64:
        """(n,) the number of each connection's group."""
        return np.repeat(np.arange(len(self.who)), np.diff(self.edges))

    def windows(self, origin: int, length: int) -> Windows:
        """Each group's connections cut at ``origin`` and every ``length`` microseconds before and after."""
        return Windows.cut(self.group, (self.start - origin) // length)


@dataclass(frozen=True)
class Windows:
    """w windows of time, each with the connections of one group that begin in it; none is empty."""

    owner: Int64  # (w,) group
    number: Int64  # (w,) which window of time, 0 from the origin on
    edges: Int64  # (w + 1,) where the connections of each begin

    @classmethod
    def cut(cls, group: Int64, number: Int64) -> Windows:
        """The windows of connections sorted by group, then by the number of the window."""
        fresh = (np.diff(group, prepend=NULL) != 0) | (np.diff(number, prepend=NULL) != 0)
        if len(fresh):
            fresh[0] = True
        heads = np.flatnonzero(fresh)
        return cls(group[heads], number[heads], np.append(heads, len(group)))

    @property
    def counts(self) -> Int64:
        """(w,) how many connections each holds."""
        return np.diff(self.edges)

    @property
    def window(self) -> Int64:
        """(n,) the window of each connection."""
        return np.repeat(np.arange(len(self.owner)), self.counts)


def by_name(flows: pa.Table) -> pa.ChunkedArray:
    """The name that the connection itself gives (SNI, Host), else the server's address: what a monitor groups by."""
    secured = pc.coalesce(flows["sni"], flows["host"])
    return pc.coalesce(secured, flows["server"])


def by_port(flows: pa.Table) -> pa.ChunkedArray:
    """The server's address with its port, as texts."""
    return pc.binary_join_element_wise(flows["server"], flows["server_port"].cast(pa.string()), " ")


def by_best_name(flows: pa.Table) -> pa.ChunkedArray:
    """The best name known of the server, by whatever means, else its address."""
    return pc.coalesce(flows["name"], flows["server"])


def host_pairs(telemetry: Telemetry, key: Column) -> Pairs:
    """Connections by (device, destination), whoever on the device made them; Unsupported without flows."""
    table = telemetry["flows"]
    rows, columns = _outbound(table, key)
    nobody = np.full(len(rows), NULL, np.int64)
    who = Who(_taken(codes(table["device"]), rows), nobody, Codes(nobody, []), columns)
    return _grouped(table, rows, who, columns, named=True)


def process_pairs(telemetry: Telemetry) -> Pairs:
    """Connections by (device, process) to wherever; Unsupported without flows. Those of unknown processes are left out.

    The group's peer is that of its first connection: whoever reports one says which.
    """
    table = telemetry["flows"]
    rows, columns = _outbound(table, by_best_name)
    uid, package = whole(table["uid"])[rows], codes(table["package"]).code[rows]
    known = (uid != NULL) | (package != NULL)
    rows, columns = rows[known], replace(columns, code=columns.code[known])
    device, packages = _taken(codes(table["device"]), rows), _taken(codes(table["package"]), rows)
    return _grouped(table, rows, Who(device, uid[known], packages, columns), columns, named=False)


def _outbound(table: pa.Table, key: Column) -> tuple[Int64, Codes]:
    """Rows of flows that a device opened to somebody, and the key of each."""
    server = codes(table["server"])
    nobody = np.array([is_group(text) or is_loopback(text) for text in server.texts] + [True])[server.code]
    rows = np.flatnonzero((whole(table["inbound"], null=0) == 0) & ~nobody)
    return rows, _taken(codes(key(table)), rows)


def _taken(column: Codes, rows: Int64) -> Codes:
    return replace(column, code=column.code[rows])


def _grouped(table: pa.Table, rows: Int64, who: Who, peer: Codes, *, named: bool) -> Pairs:
    """The connections of those rows by device, process and, where ``named``, peer."""
    keys = [who.device.code, who.uid, who.package.code, *([peer.code] if named else [])]
    group, first = numbered(*keys)
    start = whole(table["start"])[rows]
    order = np.lexsort((start, group))
    groups = Who(_taken(who.device, first), who.uid[first], _taken(who.package, first), _taken(who.peer, first))
    edges = np.append(0, np.cumsum(np.bincount(group, minlength=len(first)))).astype(np.int64)
    taken = rows[order]
    up, down, packets = (whole(table[name], null=0)[taken] for name in ("bytes_up", "bytes_down", "packets_up"))
    return Pairs(groups, edges, start[order], up, down, packets, taken, _taken(peer, order))
