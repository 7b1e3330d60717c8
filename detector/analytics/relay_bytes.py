"""When each byte of some flows passed: one row per flow and moment, from exchanges where there are any.

Without exchanges the bytes of a flow are dealt evenly over its life. What flows carried beside their exchanges (TLS
handshakes most of all) passed as they opened: who relays carries the handshakes of others as bytes like any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from detector.analytics.relay_flows import Bool, RelayFlows
from detector.columns import Int64, stable_order, whole

SECOND_US = 1_000_000
LONGEST_S = 600  # bytes of one exchange are spread over no more steps than that
BULK = 65_536  # a request below that leaves at once


@dataclass(frozen=True)
class Pieces:
    """m bytes by flow row and moment (microseconds), in no order."""

    row: Int64
    time: Int64
    into: Int64  # towards the device
    out: Int64

    def taken(self, rows: Int64 | Bool) -> Pieces:
        """Some of them."""
        return Pieces(self.row[rows], self.time[rows], self.into[rows], self.out[rows])


@dataclass(frozen=True)
class Spoken:
    """Exchanges of flow rows, or whole flows; k rows. ``told``: an exchange, not a handshake or a whole flow."""

    row: Int64
    start: Int64
    turn: Int64  # first payload from the server, or the end
    end: Int64
    up: Int64
    down: Int64
    told: Bool

    def taken(self, rows: Int64) -> Spoken:
        """Some of them, in the order given."""
        columns = (self.row, self.start, self.turn, self.end, self.up, self.down)
        row, start, turn, end, up, down = (column[rows] for column in columns)
        return Spoken(row, start, turn, end, up, down, self.told[rows])


def spoken(flows: RelayFlows, rows: Int64, exchanges: pa.Table | None) -> Spoken:
    """What the flows of ``rows`` said, exchange by exchange, then what they carried beside."""
    inbound = flows.inbound[rows]
    parts = [_said(flows, rows[side], exchanges) for side in (~inbound, inbound) if side.any()]
    if not parts:
        nothing = np.zeros(0, np.int64)
        return Spoken(nothing, nothing, nothing, nothing, nothing, nothing, np.zeros(0, np.bool_))
    return Spoken(*(np.concatenate([getattr(part, name) for part in parts]) for name in Spoken.__annotations__))


def pieces(flows: RelayFlows, said: Spoken) -> Pieces:
    """The bytes of exchanges in time: requests as they begin, answers evenly from the first byte to the end."""
    request_end = np.where(said.up >= BULK, said.turn, said.start)
    up = _spread(said.row, said.start, request_end, said.up)
    down = _spread(said.row, said.turn, said.end, said.down)
    row, time, amount = (np.concatenate(pair) for pair in zip(up, down, strict=True))
    towards = (np.arange(len(row)) < len(up[0])) == flows.inbound[row]
    return Pieces(row, time, np.where(towards, amount, 0), np.where(towards, 0, amount))


def _said(flows: RelayFlows, rows: Int64, exchanges: pa.Table | None) -> Spoken:
    """The same of flows of one direction, whose numbers are distinct."""
    up = np.where(flows.inbound[rows], flows.into[rows], flows.out[rows])
    down = np.where(flows.inbound[rows], flows.out[rows], flows.into[rows])
    start, end = flows.start[rows], flows.end[rows]
    if exchanges is None:
        return Spoken(rows, start, start, end, up, down, np.zeros(len(rows), np.bool_))
    order = stable_order(flows.flow[rows])
    numbers, wanted = flows.flow[rows][order], whole(exchanges["flow"])
    place = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    mine = np.flatnonzero(numbers[place] == wanted)
    owner = order[place[mine]]
    x_start, turn, x_end, x_up, x_down = (
        whole(exchanges[name])[mine] for name in ("start", "first_down", "end", "bytes_up", "bytes_down")
    )
    turn = np.where(turn < 0, x_end, turn)
    rest = [np.maximum(total - _sums(part, owner, len(rows)), 0) for total, part in ((up, x_up), (down, x_down))]
    left = np.flatnonzero((rest[0] > 0) | (rest[1] > 0))
    silent = np.bincount(owner, minlength=len(rows))[left] == 0
    untold_end = np.where(silent, end[left], start[left])
    return Spoken(
        row=np.concatenate((rows[owner], rows[left])),
        start=np.concatenate((x_start, start[left])),
        turn=np.concatenate((turn, start[left])),
        end=np.concatenate((x_end, untold_end)),
        up=np.concatenate((x_up, rest[0][left])),
        down=np.concatenate((x_down, rest[1][left])),
        told=np.repeat([True, False], (len(owner), len(left))),
    )


def _sums(amount: Int64, owner: Int64, count: int) -> Int64:
    return np.bincount(owner, amount, count).astype(np.int64)


def _spread(row: Int64, start: Int64, end: Int64, amount: Int64) -> tuple[Int64, Int64, Int64]:
    """Amounts dealt evenly over the seconds from start to end, or over LONGEST_S steps of equal length."""
    carried = amount > 0
    row, start, end, amount = (column[carried] for column in (row, start, end, amount))
    lasts = np.maximum(end - start, 0)
    steps = np.clip(lasts // SECOND_US + 1, 1, LONGEST_S)
    length = np.maximum(SECOND_US, lasts // steps)
    which = np.repeat(np.arange(len(row)), steps)
    step = np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = amount[which] // steps[which] + (step < (amount % steps)[which])
    return row[which], start[which] + step * length[which], share
