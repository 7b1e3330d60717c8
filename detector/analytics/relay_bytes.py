"""Bytes in and out of one app second by second, flow by flow: what bridging is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, joined, numbered, whole
from detector.contacts import Flows
from detector.destinations import is_group, is_loopback, registrable

Bool = npt.NDArray[np.bool_]
SECOND_US = 1_000_000
LONGEST_S = 600  # bytes of one exchange are spread over no more seconds than that
BULK = 65_536  # a request below that leaves in its first second


@dataclass(frozen=True)
class Pieces:
    """Bytes by flow and second: m rows sorted by second."""

    row: Int64  # of the flows table
    second: Int64
    into: Int64  # towards the device
    out: Int64

    def between(self, start: int, end: int) -> Pieces:
        """The pieces of seconds [start, end)."""
        low, high = np.searchsorted(self.second, (start, end))
        return Pieces(self.row[low:high], self.second[low:high], self.into[low:high], self.out[low:high])


@dataclass(frozen=True)
class AppTraffic:
    """The flows of one app on one device and their bytes second by second."""

    device: str
    uid: int | None
    package: str | None
    rows: Int64
    pieces: Pieces


def app_traffic(
    flows: Flows, peers: Codes, exchanges: pa.Table | None, least: int, anchored: Bool
) -> Iterator[AppTraffic]:
    """The traffic of every (device, app) that could relay: ``least`` flows beside an anchor; no loopback, no groups.

    ``anchored``: (n,) whether a flow could be of an anchor; apps without any are left out.
    """
    outside = np.array([not (is_group(text) or is_loopback(text)) for text in flows.server.texts] + [False])
    rows = np.flatnonzero(outside[flows.server.code] & (peers.code != NULL))
    if not len(rows):
        return
    group, _ = numbered(flows.device.code[rows], flows.uid[rows], flows.package.code[rows])
    order = np.argsort(group, kind="stable")
    rows, group = rows[order], group[order]
    spoken = _exchanges_by_row(flows, exchanges)
    for low, high in zip(*_edges(group), strict=True):
        mine = rows[low:high]
        if len(mine) <= least or not anchored[mine].any() or not (flows.down[mine].any() and flows.up[mine].any()):
            continue
        row = int(mine[0])
        yield AppTraffic(
            device=flows.device.text(row) or "",
            uid=None if flows.uid[row] == NULL else int(flows.uid[row]),
            package=flows.package.text(row),
            rows=mine,
            pieces=_pieces(flows, mine, spoken),
        )


def peers_of(flows: Flows) -> Codes:
    """Registrable domain or address of the server of every flow."""
    texts = [registrable(text) for text in flows.name.texts] + flows.server.texts
    named = flows.name.code
    return Codes(np.where(named != NULL, named, flows.server.code + len(flows.name.texts)), texts).renamed(texts)


def _edges(group: Int64) -> tuple[Int64, Int64]:
    edges = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    return edges[:-1], edges[1:]


@dataclass(frozen=True)
class _Spoken:
    """Exchanges (or whole flows) sorted by flow number."""

    flow: Int64
    start: Int64
    turn: Int64  # first payload from the server, or the end
    end: Int64
    up: Int64
    down: Int64


def _exchanges_by_row(flows: Flows, exchanges: pa.Table | None) -> _Spoken:
    if exchanges is None:
        columns = [flows.flow, flows.start, flows.start, flows.end, flows.up, flows.down]
        flow, keep = np.unique(flows.flow, return_index=True)
        return _Spoken(flow, *(column[keep] for column in columns[1:]))
    names = ("flow", "start", "first_down", "end", "bytes_up", "bytes_down")
    flow, start, turn, end, up, down = (whole(exchanges[name]) for name in names)
    turn = np.where(turn == NULL, end, turn)
    known = (flow, start, turn, end, up, down)
    both = zip(known, _untold(flows, flow, up, down), strict=True)
    flow, start, turn, end, up, down = (np.concatenate(parts) for parts in both)
    order = np.argsort(flow, kind="stable")
    return _Spoken(*(column[order] for column in (flow, start, turn, end, up, down)))


def _untold(flows: Flows, flow: Int64, up: Int64, down: Int64) -> tuple[Int64, ...]:
    """What flows carried outside their exchanges, TLS handshakes most of all, as of their first second.

    Who relays carries the handshakes of others: on one side they are bytes like any, on the other a handshake.
    """
    number, first = np.unique(flows.flow, return_index=True)
    place = joined(number, flow)
    ours = place != NULL
    said = (np.bincount(place[ours], amount[ours], len(number)).astype(np.int64) for amount in (up, down))
    up, down = (np.maximum(total[first] - known, 0) for total, known in zip((flows.up, flows.down), said, strict=True))
    left = (up > 0) | (down > 0)
    start = flows.start[first[left]]
    return number[left], start, start, start, up[left], down[left]


def _pieces(flows: Flows, rows: Int64, spoken: _Spoken) -> Pieces:
    numbers = np.sort(flows.flow[rows])
    low, high = np.searchsorted(spoken.flow, numbers), np.searchsorted(spoken.flow, numbers, side="right")
    take = np.concatenate([np.arange(a, b) for a, b in zip(low, high, strict=True)])
    row = rows[joined(flows.flow[rows], spoken.flow[take])]
    request_end = np.where(spoken.up[take] >= BULK, spoken.turn[take], spoken.start[take])
    up = _spread(row, spoken.start[take], request_end, spoken.up[take])
    down = _spread(row, spoken.turn[take], spoken.end[take], spoken.down[take])
    sides = (np.concatenate(pair) for pair in zip(up, down, strict=True))
    row, second, amount = sides
    upward = np.arange(len(row)) < len(up[0])
    towards = upward == (flows.inbound[row] == 1)
    order = np.argsort(second, kind="stable")
    into, out = np.where(towards, amount, 0), np.where(towards, 0, amount)
    return Pieces(row[order], second[order], into[order], out[order])


def _spread(row: Int64, start: Int64, end: Int64, amount: Int64) -> tuple[Int64, Int64, Int64]:
    """Amounts dealt evenly over the seconds from start to end."""
    carried = amount > 0
    row, start, end, amount = (column[carried] for column in (row, start, end, amount))
    first = start // SECOND_US
    lasts = np.clip(end // SECOND_US - first + 1, 1, LONGEST_S)
    which = np.repeat(np.arange(len(row)), lasts)
    step = np.arange(len(which)) - np.repeat(np.cumsum(lasts) - lasts, lasts)
    share = amount[which] // lasts[which] + (step < (amount % lasts)[which])
    return row[which], first[which] + step, share
