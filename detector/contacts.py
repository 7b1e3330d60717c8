"""Contacts: what one app of one device said to one destination, each time as one row, gathered from flows and DNS.

A short flow is one contact; inside a long one every exchange is (one WebSocket is one flow but many polls); a look-up
whose answer nobody connected to is one too. Contacts closer than a merge gap are one. Everything is done for all
groups at once: rows sorted by group and time, and the edges between the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, joined, ordered, whole
from detector.flow_columns import Flows as Flows  # noqa: PLC0414 - contacts are made of flows, whose columns live apart
from detector.flow_columns import hosts as hosts  # noqa: PLC0414 - as above
from detector.flow_columns import moments
from detector.flow_columns import outbound_rows as outbound_rows  # noqa: PLC0414 - as above
from detector.grouped import Float64, grouped_sorted, grouped_steps, ordered_quantiles, spans
from detector.lookups import Lookups
from detector.speakers import RARE as RARE  # noqa: PLC0414 - contacts are of pairs, which live apart
from detector.speakers import Pairs as Pairs  # noqa: PLC0414 - as above
from detector.speakers import flow_pairs as flow_pairs  # noqa: PLC0414 - as above
from detector.speakers import lookup_pairs as lookup_pairs  # noqa: PLC0414 - as above

#: A scale is trusted where the median gap is that many merge gaps: below, the merging itself makes gaps look regular.
BLUR = 3.0
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Merging:
    """How moments become contacts: candidate merge gaps in seconds, and the fewest contacts worth a look."""

    gaps_s: Sequence[float]
    least: int


@dataclass(frozen=True)
class Contacts:
    """The contacts of one (device, app, destination), in time order, and the rows they came from."""

    device: str
    uid: int | None
    package: str | None
    destination: str  # registrable domain, or address where no name is known
    looked_up: bool  # True: DNS look-ups below ``destination``; ``rows`` are rows of dns, else of flows
    times: Int64  # (n,) starts, microseconds
    up: Int64  # (n,) L4 payload bytes client to server
    down: Int64
    rows: Int64
    merge_gap_s: float

    def __len__(self) -> int:
        return len(self.times)

    def gaps_s(self) -> Float64:
        """(n - 1,) seconds between contact starts."""
        return np.diff(self.times) / 1e6


@dataclass(frozen=True)
class Moments:
    """Something said, before merging; m rows in the order of group and time."""

    group: Int64
    start: Int64
    up: Int64
    down: Int64
    row: Int64  # of the flows or dns table

    def taken(self, rows: Int64 | Flags) -> Moments:
        """Some of the moments, in the order given."""
        return Moments(self.group[rows], self.start[rows], self.up[rows], self.down[rows], self.row[rows])


@dataclass(frozen=True)
class Crowd:
    """The contacts of g groups at once, group after group, in time order within each."""

    pair: Int64  # (g,) of the pairs it was made from
    pairs: Pairs
    edges: Int64  # (g + 1,) where the contacts of each begin
    times: Int64  # (n,) as in Contacts, as are up and down
    up: Int64
    down: Int64
    heads: Int64  # (n + 1,) where the rows of each contact begin
    rows: Int64  # repeated where a row gave several moments
    gap_s: Float64  # (g,) merge gap

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def counts(self) -> Int64:
        """(g,) how many contacts each has."""
        return np.diff(self.edges)

    @property
    def row_edges(self) -> Int64:
        """(g + 1,) where the rows of each group begin."""
        return self.heads[self.edges]

    @property
    def first(self) -> Int64:
        """(g,) the first contact of each."""
        return self.times[self.edges[:-1]]

    @property
    def last(self) -> Int64:
        """(g,) the last contact of each."""
        return self.times[self.edges[1:] - 1]

    @property
    def device(self) -> Codes:
        """(g,) as the following."""
        return Codes(self.pairs.device.code[self.pair], self.pairs.device.texts)

    @property
    def destination(self) -> Codes:
        """(g,) registrable domain, address, or RARE."""
        return Codes(self.pairs.destination.code[self.pair], self.pairs.destination.texts)

    @property
    def package(self) -> Codes:
        """(g,) package of the app."""
        return Codes(self.pairs.package.code[self.pair], self.pairs.package.texts)

    @property
    def uid(self) -> Int64:
        """(g,) uid of the app; NULL where unknown."""
        return self.pairs.uid[self.pair]

    @property
    def looked_up(self) -> bool:
        """Whether the contacts are look-ups, and the rows those of dns."""
        return isinstance(self.pairs.said, Lookups)

    def taken(self, groups: Int64, lengths: Int64 | None = None) -> Crowd:
        """Some groups in the order given, repeats allowed; of each only its first contacts where ``lengths`` say."""
        lengths = self.counts[groups] if lengths is None else lengths
        contacts = spans(self.edges[groups], lengths)
        rows = spans(self.heads[contacts], self.heads[contacts + 1] - self.heads[contacts])
        heads = np.append(0, np.cumsum(self.heads[contacts + 1] - self.heads[contacts]))
        edges = np.append(0, np.cumsum(lengths))
        times, up, down = (column[contacts] for column in (self.times, self.up, self.down))
        return Crowd(self.pair[groups], self.pairs, edges, times, up, down, heads, self.rows[rows], self.gap_s[groups])

    def rows_of(self, group: int) -> Int64:
        """The rows of one group, of the flows or dns table."""
        return self.rows[slice(*self.heads[self.edges[group : group + 2]])]

    def one(self, group: int) -> Contacts:
        """The contacts of one group."""
        said, pairs, pair = slice(*self.edges[group : group + 2]), self.pairs, int(self.pair[group])
        uid = int(pairs.uid[pair])
        return Contacts(
            device=pairs.device.text(pair) or "",
            uid=None if uid == NULL else uid,
            package=pairs.package.text(pair),
            destination=pairs.destination.text(pair) or "",
            looked_up=self.looked_up,
            times=self.times[said],
            up=self.up[said],
            down=self.down[said],
            rows=np.unique(self.rows_of(group)),
            merge_gap_s=float(self.gap_s[group]),
        )


def crowd_of(pairs: Pairs, exchanges: pa.Table | None, merging: Merging) -> Crowd:
    """The contacts of every pair that has enough of them, at the coarsest merge gap that does not blur."""
    ordered = _moments(pairs, exchanges)
    if len(ordered.group):
        ordered = ordered.taken(np.bincount(ordered.group)[ordered.group] >= merging.least)
    parts = []
    for gap in sorted(merging.gaps_s, reverse=True):
        crowd = _merged(pairs, ordered, gap)
        clear = _clear(crowd, merging.least)
        ordered = ordered.taken(~np.repeat(clear, np.diff(crowd.row_edges)))
        parts.append(crowd.taken(np.flatnonzero(clear)))
    return _one_after_another(parts)


def _moments(pairs: Pairs, exchanges: pa.Table | None) -> Moments:
    """Every short flow or look-up, and every exchange inside a long flow; groups are pairs.

    Of a short flow the bytes of its exchanges count, without what TLS says itself; of one without any all its bytes.
    """
    said, rows = pairs.said, pairs.rows
    group = np.repeat(np.arange(len(pairs)), np.diff(pairs.edges))
    flat = Moments(group, said.time[rows], np.maximum(said.up[rows], 0), np.maximum(said.down[rows], 0), rows)
    if exchanges is None or isinstance(said, Lookups):
        return flat
    owner = joined(said.flow[rows], whole(exchanges["flow"]))
    inside = np.flatnonzero(owner != NULL)
    spoke = np.bincount(owner[inside], minlength=len(rows)) > 0
    for name, total in (("bytes_up", flat.up), ("bytes_down", flat.down)):
        amount = np.bincount(owner[inside], whole(exchanges[name])[inside], len(rows)).astype(np.int64)
        total[spoke] = amount[spoke]
    when = moments(said.flow[rows], said.start[rows], said.end[rows], exchanges)
    start, up, down = (whole(exchanges[name])[when.inside] for name in ("start", "bytes_up", "bytes_down"))
    parts = (flat.taken(when.alone), Moments(group[when.owner], start, up, down, rows[when.owner]))
    every = Moments(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(flat)))
    return every.taken(ordered(every.group, every.start))


def _merged(pairs: Pairs, ordered: Moments, gap_s: float) -> Crowd:
    """All groups of the moments merged at one gap."""
    fresh = np.diff(ordered.group, prepend=-1) != 0
    apart = np.diff(ordered.start, prepend=ordered.start[:1]) > gap_s * 1e6
    heads = np.flatnonzero(fresh | apart)
    up, down = (np.add.reduceat(column, heads) if len(heads) else column for column in (ordered.up, ordered.down))
    edges = np.append(np.flatnonzero(fresh[heads]), len(heads))
    group = ordered.group[heads[edges[:-1]]] if len(heads) else ordered.group
    every, gaps = np.append(heads, len(fresh)), np.full(len(group), gap_s)
    return Crowd(group, pairs, edges, ordered.start[heads], up, down, every, ordered.row, gaps)


def _clear(crowd: Crowd, least: int) -> Flags:
    """(g,) whether the contacts are many enough and not blurred by their merging."""
    gaps, edges = grouped_steps(crowd.times, crowd.edges)
    (middle,) = ordered_quantiles(grouped_sorted(gaps, edges), edges, 0.5)
    enough: Flags = (crowd.counts >= max(least, 2)) & (middle >= BLUR * crowd.gap_s * 1e6)
    return enough


def _one_after_another(parts: Sequence[Crowd]) -> Crowd:
    """Crowds of the same pairs as one."""
    before = np.append(0, np.cumsum([len(part.times) for part in parts]))
    rows = np.append(0, np.cumsum([len(part.rows) for part in parts]))
    names = ("times", "up", "down", "rows", "gap_s", "pair")
    times, up, down, row, gap_s, pair = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    edges = np.concatenate([*(part.edges[:-1] + n for part, n in zip(parts, before, strict=False)), before[-1:]])
    heads = np.concatenate([*(part.heads[:-1] + n for part, n in zip(parts, rows, strict=False)), rows[-1:]])
    return Crowd(pair, parts[0].pairs, edges, times, up, down, heads, row, gap_s)
