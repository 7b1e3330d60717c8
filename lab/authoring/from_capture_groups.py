"""The groups of a capture: what one app of one device said to one destination, contact after contact.

A contact is an exchange, or a flow where the sensor sees no exchanges; those less than two seconds apart are one, as in
``[[expect]]``. Look-ups stand for themselves, by their zone, where nobody connected to what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.contract import EXCHANGE_IDLE_US, Telemetry

Int64 = npt.NDArray[np.int64]
PING_AT_MOST = 12  # bytes each way of empty WebSocket control frames, RFC 6455 section 5.5, alone or two at once
KEY = ("device", "package", "peer")


@dataclass(frozen=True)
class Group:
    """(n,) contacts of one device and app with one peer, ascending; bytes are L4 payload, -1 where nobody counted."""

    device: str
    package: str | None
    peer: str
    protocol: str | None  # app_proto of most flows: tls http quic websocket dns ...
    port: int
    qtype: str | None  # of look-ups
    flows: int
    times: Int64
    up: Int64
    down: Int64
    whole_flows: bool  # True: bytes are those of flows, with what TLS says itself
    ping_s: float | None  # of a WebSocket: between its control frames

    @property
    def gaps_s(self) -> npt.NDArray[np.float64]:
        """(n - 1,) seconds between contacts."""
        return np.diff(self.times) / 1e6


def groups_of(telemetry: Telemetry) -> list[Group]:
    """Every group, the one with most contacts first; none where there are neither flows nor look-ups."""
    found = list(_spoken(telemetry)) if "flows" in telemetry else []
    found += _asked(telemetry) if "dns" in telemetry else []
    return sorted(found, key=lambda one: (-len(one.times), one.device, one.package or "", one.peer))


def _spoken(telemetry: Telemetry) -> Iterator[Group]:
    flows = telemetry["flows"]
    wanted = pc.and_(pc.invert(flows["inbound"]), pc.not_equal(pc.coalesce(flows["app_proto"], ""), "dns"))
    flows = flows.filter(pc.and_(wanted, pc.is_in(flows["proto"], pa.array(["tcp", "udp"]))))
    flows = flows.append_column("peer", pc.coalesce(flows["name"], flows["server"]))
    said = _said(flows, telemetry.tables.get("exchanges"))
    for key, rows in _by_key(flows):
        taken = said.of(rows)
        protocol = _most(flows["app_proto"].take(rows))
        beats = _beats(taken, protocol)
        merged = _contacts(taken, beats)
        yield Group(
            **key,
            protocol=protocol,
            port=int(_most(flows["server_port"].take(rows)) or 0),
            qtype=None,
            flows=len(rows),
            times=merged.time,
            up=merged.up,
            down=merged.down,
            whole_flows=not taken.inside.any(),
            ping_s=float(np.median(np.diff(taken.time[beats])) / 1e6) if beats.sum() > 2 else None,
        )


@dataclass(frozen=True)
class _Said:
    """What was said, in the order of flow rows: (m,) row of its flow, time, bytes, whether it is an exchange."""

    row: Int64
    time: Int64
    up: Int64
    down: Int64
    inside: npt.NDArray[np.bool_]

    def of(self, rows: Int64) -> _Said:
        """What was said in these rows, ascending in time."""
        begin, end = np.searchsorted(self.row, rows), np.searchsorted(self.row, rows, side="right")
        lengths = end - begin
        places = np.repeat(begin - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        return self.taken(places[np.argsort(self.time[places], kind="stable")])

    def taken(self, places: Int64) -> _Said:
        """Some of it, in the order given."""
        return _Said(**{name: column[places] for name, column in vars(self).items()})


def _said(flows: pa.Table, exchanges: pa.Table | None) -> _Said:
    """Every exchange, and every flow without one."""
    alone = np.ones(flows.num_rows, dtype=np.bool_)
    columns = [np.arange(flows.num_rows), *(_whole(flows[name]) for name in ("start", "bytes_up", "bytes_down"))]
    inside = np.zeros(flows.num_rows, dtype=np.bool_)
    if exchanges is not None and exchanges.num_rows and flows.num_rows:
        ids = _whole(flows["flow"])
        order = np.argsort(ids, kind="stable")
        of = _whole(exchanges["flow"])
        place = np.minimum(np.searchsorted(ids[order], of), len(ids) - 1)
        known = ids[order][place] == of
        owner = order[place][known]
        alone[owner] = False
        more = [owner, *(_whole(exchanges[name])[known] for name in ("start", "bytes_up", "bytes_down"))]
        columns = [np.concatenate([one[alone], other]) for one, other in zip(columns, more, strict=True)]
        inside = np.arange(len(columns[0])) >= alone.sum()
    row, time, up, down = columns
    return _Said(row, time, up, down, inside).taken(np.argsort(row, kind="stable"))


def _asked(telemetry: Telemetry) -> Iterator[Group]:
    """Look-ups below one zone (the last two labels) whose names no flow bears."""
    dns = telemetry["dns"]
    dns = dns.filter(pc.is_valid(dns["qname"]))
    device, package = dns["client"], pa.nulls(dns.num_rows, pa.string())
    if "flows" in telemetry:
        flows = telemetry["flows"]
        keep = pc.invert(pc.is_in(dns["qname"], pc.unique(flows["name"]).drop_null()))
        dns = dns.filter(keep)
        first = dict(zip(*(flows[name].to_pylist()[::-1] for name in ("flow", "device")), strict=True))
        pairs = zip(dns["flow"].to_pylist(), dns["client"].to_pylist(), strict=True)
        device = pa.array([first.get(flow, client) for flow, client in pairs], pa.string())
        package = pa.nulls(dns.num_rows, pa.string())
    zones = pa.array([".".join(name.split(".")[-2:]) for name in dns["qname"].to_pylist()], pa.string())
    table = pa.table({"device": device, "package": package, "peer": zones})
    time, up, down = (_whole(dns[name]) for name in ("time", "bytes_up", "bytes_down"))
    for key, rows in _by_key(table):
        nothing = np.zeros(len(rows), dtype=np.bool_)
        merged = _contacts(_Said(rows, time[rows], up[rows], down[rows], nothing).of(rows), nothing)
        yield Group(
            **key,
            protocol="dns",
            port=53,
            qtype=_most(dns["qtype"].take(rows)),
            flows=len(rows),
            times=merged.time,
            up=merged.up,
            down=merged.down,
            whole_flows=False,
            ping_s=None,
        )


def _by_key(table: pa.Table) -> Iterator[tuple[dict[str, Any], Int64]]:
    """Each (device, package, peer) with its rows, ascending."""
    keyed = table.select(list(KEY)).append_column("row", pa.array(np.arange(table.num_rows)))
    for one in keyed.group_by(list(KEY), use_threads=False).aggregate([("row", "list")]).to_pylist():
        yield {name: one[name] for name in KEY}, np.array(one["row_list"], dtype=np.int64)


def _beats(said: _Said, protocol: str | None) -> npt.NDArray[np.bool_]:
    """(m,) what only keeps a WebSocket open."""
    small = (said.up <= PING_AT_MOST) & (said.down <= PING_AT_MOST)
    return small & (protocol == "websocket")


def _contacts(said: _Said, beats: npt.NDArray[np.bool_]) -> _Said:
    """What was said, without beats, merged: one row for each contact."""
    kept = said.taken(np.flatnonzero(~beats))
    heads = np.flatnonzero(np.diff(kept.time, prepend=np.iinfo(np.int64).min // 2) > EXCHANGE_IDLE_US)
    if not len(heads):
        return kept
    up, down = (_summed(column, heads) for column in (kept.up, kept.down))
    return replace(kept.taken(heads), up=up, down=down)


def _summed(column: Int64, heads: Int64) -> Int64:
    """The sums from head to head of what was counted, -1 where nothing was."""
    total: Int64 = np.add.reduceat(np.maximum(column, 0), heads)
    return np.where(np.maximum.reduceat(column, heads) < 0, -1, total)


def _whole(column: pa.ChunkedArray) -> Int64:
    """A column of whole numbers, -1 where there is none."""
    return np.asarray(pc.fill_null(column, -1).to_numpy(), dtype=np.int64)


def _most(column: pa.ChunkedArray) -> Any:
    """The value that most rows have, nulls aside; None if there is none."""
    counts = pc.value_counts(column.drop_null()).to_pylist()
    return max(counts, key=lambda one: one["counts"])["values"] if counts else None
