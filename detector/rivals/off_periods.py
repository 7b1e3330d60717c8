"""OFF periods: when the flows of an app speak again after a silence, and whether others do so at that moment, too.

Formula: Zhang & Paxson, "Detecting Stepping Stones" (USENIX Security 2000), its constants as facts quote them. A flow
is OFF after half a second without data. Two flows go together where of the fewer ends of OFF periods a share of 0.3 or
more come within 80 ms of each other, and two in a row at least once.

A phone's relay is one anchor (a long flow to a gateway, or what one client opened to the phone) and a new flow for each
stream, which ends one OFF period only, by its beginning. So here a pair is an anchor and all other flows of the app
that it opened itself, as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Int64, codes, joined, numbered, whole
from detector.contacts import Flows
from detector.destinations import is_group, is_loopback
from detector.grouped import Float64
from detector.rivals.pairs import Windows
from detector.rivals.verdicts import spans

IDLE_US = 500_000
TOGETHER_US = 80_000
LONG_US = 300_000_000
SHARE = 0.3
IN_A_ROW = 2
WINDOW_US = 1_800_000_000


@dataclass(frozen=True)
class Ends:
    """n ends of OFF periods, in no order: when, of which app, and by which anchor (NULL: by no anchor)."""

    app: Int64
    anchor: Int64
    time: Int64  # microseconds
    outbound: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairings:
    """w half hours of an anchor with the rest of its app; times in microseconds."""

    app: Int64
    window: Int64  # number, from the origin on
    own: Int64  # ends of OFF periods of the anchor
    others: Int64  # of the app's other flows, that it opened itself
    together: Int64  # of the anchor, within 80 ms of another's
    in_a_row: Int64  # most of these one after the other; 2 stands for more
    first: Int64
    last: Int64

    @property
    def share(self) -> Float64:
        """(w,) of the fewer ends that come together."""
        fewer = np.minimum(self.own, self.others)
        return np.minimum(self.together / np.maximum(fewer, 1), 1.0)

    @property
    def score(self) -> Float64:
        """(w,) the share; below the threshold where no two come in a row, however large it is."""
        return np.where(self.in_a_row >= IN_A_ROW, self.share, np.minimum(self.share, SHARE / 2))


def off_ends(table: pa.Table, exchanges: pa.Table) -> tuple[Ends, Int64]:
    """The ends of all OFF periods, and (a,) a row of flows of each app; loopback and groups are nobody.

    What ends one: the beginning of a flow, and data after the silence from whichever side, exchange by exchange.
    """
    flows = Flows.read(table)
    nobody = np.array([is_group(text) or is_loopback(text) for text in flows.server.texts] + [True])
    kept = np.flatnonzero(~nobody[flows.server.code])
    app, one = numbered(flows.device.code[kept], flows.uid[kept], flows.package.code[kept])
    inbound = flows.inbound[kept] != 0
    long = flows.end[kept] - flows.start[kept] > LONG_US
    client = codes(table["client"]).code[kept]
    anchor, _ = numbered(app, inbound.astype(np.int64), np.where(inbound, client, np.arange(len(kept))))
    anchor = np.where(inbound | long, anchor, NULL)
    spoken = [_spoken(flows, kept, np.flatnonzero(side), exchanges) for side in (~inbound, inbound)]
    place, time = (np.concatenate(part) for part in zip(*spoken, strict=True))
    return Ends(app[place], anchor[place], time, ~inbound[place]), kept[one]


def _spoken(flows: Flows, kept: Int64, side: Int64, exchanges: pa.Table) -> tuple[Int64, Int64]:
    """(m,) the place in ``kept`` of the flow speaking after a silence, and when; ``side``: those of one direction."""
    begun = flows.start[kept[side]]
    owner = joined(flows.flow[kept[side]], whole(exchanges["flow"]))
    rows = np.flatnonzero(owner != NULL)
    start, end, answer = (whole(exchanges[name])[rows] for name in ("start", "end", "first_down"))
    order = np.lexsort((start, owner[rows]))
    owner, start, end, answer = owner[rows][order], start[order], end[order], answer[order]
    before = np.where(np.diff(owner, prepend=NULL) != 0, begun[owner], np.roll(end, 1))
    asks, answers = start - before > IDLE_US, (answer != NULL) & (answer - start > IDLE_US)
    places = np.concatenate([np.arange(len(side)), owner[asks], owner[answers]])
    return side[places], np.concatenate([begun, start[asks], answer[answers]])


def pairings(ends: Ends, origin: int) -> Pairings:
    """Every anchor and half hour in which it ends an OFF period, held against the rest of its app."""
    own = np.flatnonzero(ends.anchor != NULL)
    own = own[np.lexsort((ends.time[own], ends.anchor[own]))]
    app, anchor, time = ends.app[own], ends.anchor[own], ends.time[own]
    near = _others(ends, app, anchor, time - TOGETHER_US, time + TOGETHER_US + 1) > 0
    number = (time - origin) // WINDOW_US
    windows = Windows.cut(anchor, number)
    heads = windows.edges[:-1]
    begin = origin + windows.number * WINDOW_US
    pair = near[1:] & near[:-1] & (np.diff(windows.window) == 0) if len(near) else near
    first, last = spans(windows.edges, time)
    return Pairings(
        app=app[heads],
        window=windows.number,
        own=windows.counts,
        others=_others(ends, app[heads], windows.owner, begin, begin + WINDOW_US),
        together=np.bincount(windows.window[near], minlength=len(heads)).astype(np.int64),
        in_a_row=_most(near, pair, windows),
        first=first,
        last=last,
    )


def _most(near: npt.NDArray[np.bool_], pair: npt.NDArray[np.bool_], windows: Windows) -> Int64:
    """(w,) 2 where two coincidences follow each other, 1 where there is one, else 0."""
    count = len(windows.owner)
    any_pair = np.bincount(windows.window[1:][pair], minlength=count) > 0 if count else np.zeros(0, np.bool_)
    return np.where(any_pair, IN_A_ROW, np.bincount(windows.window[near], minlength=count) > 0).astype(np.int64)


def _others(ends: Ends, app: Int64, anchor: Int64, low: Int64, high: Int64) -> Int64:
    """(m,) how many OFF periods other flows, that the app opened itself, end from ``low`` to before ``high``."""
    out = np.flatnonzero(ends.outbound)
    mine = out[ends.anchor[out] != NULL]
    everybody = _between(ends.app[out], ends.time[out], app, low, high)
    return everybody - _between(ends.anchor[mine], ends.time[mine], anchor, low, high)


def _between(group: Int64, time: Int64, wanted: Int64, low: Int64, high: Int64) -> Int64:
    """(m,) how many times of each wanted group lie from ``low`` to before ``high``."""
    zero = min(int(time.min(initial=0)), int(low.min(initial=0)))
    step = max(int(time.max(initial=0)), int(high.max(initial=0))) - zero + 1
    keys = np.sort(group * step + (time - zero))
    return np.searchsorted(keys, wanted * step + (high - zero)) - np.searchsorted(keys, wanted * step + (low - zero))
