"""Symmetry: whether an app's device sends as much as it receives, half hour by half hour, whoever with.

No tool's formula but what AN1702 calls relay-like byte symmetry, taken alone: of what the device received and sent for
an app in all its flows, the lesser over the greater. A half hour counts with at least 64 KiB both ways together, so
that no single request and answer of like size does; that floor and where it alerts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Int64, codes, joined, numbered, whole
from detector.destinations import is_group, is_loopback
from detector.grouped import Float64

WINDOW_US = 1_800_000_000
LEAST_BYTES = 65_536


@dataclass(frozen=True)
class Balances:
    """w half hours of an app; times in microseconds."""

    app: Int64
    window: Int64  # number, from the origin on
    received: Int64  # L4 payload bytes that reached the device
    sent: Int64
    first: Int64
    last: Int64

    @property
    def score(self) -> Float64:
        """(w,) the lesser over the greater; 0 below the floor, where nothing is said."""
        less, more = np.minimum(self.received, self.sent), np.maximum(self.received, self.sent)
        return np.where(self.received + self.sent >= LEAST_BYTES, less / np.maximum(more, 1), 0.0)


def balances(flows: pa.Table, exchanges: pa.Table | None, origin: int) -> tuple[Balances, Int64]:
    """The half hours of all apps, and (a,) a row of flows of each app; loopback and groups are nobody.

    Bytes count when the exchange they are in ends, or their flow where no exchange of it is known: when a sensor knows.
    """
    server = codes(flows["server"])
    nobody = np.array([is_group(text) or is_loopback(text) for text in server.texts] + [True])[server.code]
    kept = np.flatnonzero(~nobody)
    app, one = numbered(
        codes(flows["device"]).code[kept], whole(flows["uid"])[kept], codes(flows["package"]).code[kept]
    )
    inbound = whole(flows["inbound"], null=0)[kept] != 0
    parts = [_carried(flows, exchanges, kept, np.flatnonzero(side)) for side in (~inbound, inbound)]
    place, time, up, down = (np.concatenate(part) for part in zip(*parts, strict=True))
    window, head = numbered(app[place], (time - origin) // WINDOW_US)
    turned = inbound[place]
    first, last = np.full(len(head), np.iinfo(np.int64).max), np.full(len(head), np.iinfo(np.int64).min)
    np.minimum.at(first, window, time)
    np.maximum.at(last, window, time)
    received, sent = (_sums(np.where(turned, *way), window, len(head)) for way in ((up, down), (down, up)))
    return Balances(app[place][head], (time[head] - origin) // WINDOW_US, received, sent, first, last), kept[one]


def _sums(sizes: Int64, window: Int64, count: int) -> Int64:
    return np.bincount(window, sizes, count).astype(np.int64)


def _carried(
    flows: pa.Table, exchanges: pa.Table | None, kept: Int64, side: Int64
) -> tuple[Int64, Int64, Int64, Int64]:
    """Place in ``kept``, time, and bytes up and down of what flows of one direction carried."""
    rows = kept[side]
    end, up, down = (whole(flows[name], null=0)[rows] for name in ("end", "bytes_up", "bytes_down"))
    if exchanges is None:
        return side, end, up, down
    owner = joined(whole(flows["flow"])[rows], whole(exchanges["flow"]))
    inside = np.flatnonzero(owner != NULL)
    owner = owner[inside]
    silent: npt.NDArray[np.bool_] = np.bincount(owner, minlength=len(rows)) == 0
    spoken = [whole(exchanges[name], null=0)[inside] for name in ("end", "bytes_up", "bytes_down")]
    time, more_up, more_down = (
        np.concatenate([column[silent], said]) for column, said in zip((end, up, down), spoken, strict=True)
    )
    return np.concatenate([side[silent], side[owner]]), time, more_up, more_down
