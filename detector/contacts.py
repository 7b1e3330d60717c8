"""Contacts: what one app of one device said to one destination, each time as one row, gathered from flows and DNS.

A short flow is one contact; inside a long one every exchange is (one WebSocket is one flow but many polls); a look-up
whose answer nobody connected to is one too. Contacts closer than a merge gap are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import NULL, Codes, Int64, codes, joined, numbered, whole
from detector.destinations import is_group, is_loopback, registrable
from detector.grouped import grouped_gaps, grouped_quantiles
from detector.lookups import Lookups

LONG_FLOW_US = 10_000_000
LENGTH_BYTES = 2  # in front of each DNS message over TCP (RFC 1035 section 4.2.2)
#: A scale is trusted where the median gap is that many merge gaps: below, the merging itself makes gaps look regular.
BLUR = 3.0


@dataclass(frozen=True)
class Flows:
    """The columns of a flows table the analytics read; n rows."""

    flow: Int64
    device: Codes
    uid: Int64
    package: Codes
    start: Int64
    end: Int64
    up: Int64
    down: Int64
    inbound: Int64
    server: Codes
    name: Codes
    app_proto: Codes
    target: Codes  # host this flow's client asked a proxy for, without port
    port: Int64
    proto: Codes

    @classmethod
    def read(cls, table: pa.Table) -> Flows:
        """The columns of a table of schema ``flows``."""
        via = codes(table["proxy_server"])
        beyond = np.array([text == "server" for text in via.texts] + [False])[via.code]
        asked = hosts(codes(table["proxy_target"]))
        return cls(
            flow=whole(table["flow"]),
            device=codes(table["device"]),
            uid=whole(table["uid"]),
            package=codes(table["package"]),
            start=whole(table["start"]),
            end=whole(table["end"]),
            up=whole(table["bytes_up"]),
            down=whole(table["bytes_down"]),
            inbound=whole(table["inbound"], null=0),
            server=codes(table["server"]),
            name=codes(table["name"]),
            app_proto=codes(table["app_proto"]),
            target=Codes(np.where(beyond, asked.code, NULL), asked.texts),
            port=whole(table["server_port"]),
            proto=codes(table["proto"]),
        )


def hosts(targets: Codes) -> Codes:
    """The hosts of a column of ``host:port`` texts."""
    return targets.renamed([text.rpartition(":")[0].strip("[]") or text for text in targets.texts])


@dataclass(frozen=True)
class Merging:
    """How moments become contacts: candidate merge gaps in seconds, and the fewest contacts worth a look."""

    gaps_s: Sequence[float]
    least: int


@dataclass(frozen=True)
class Moments:
    """Something said, before merging; m rows in any order."""

    group: Int64
    start: Int64
    up: Int64
    down: Int64
    row: Int64  # of the flows or dns table

    def taken(self, rows: Int64 | npt.NDArray[np.bool_] | slice) -> Moments:
        """Some of the moments, in the order given."""
        return Moments(self.group[rows], self.start[rows], self.up[rows], self.down[rows], self.row[rows])


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

    def gaps_s(self) -> npt.NDArray[np.float64]:
        """(n - 1,) seconds between contact starts."""
        return np.diff(self.times) / 1e6


@dataclass(frozen=True)
class Crowd:
    """The contacts of g groups at once, group after group, in time order within each."""

    group: Int64  # (g,)
    edges: Int64  # (g + 1,) where the contacts of each begin
    times: Int64  # (n,) as in Contacts, as are up and down
    up: Int64
    down: Int64
    row_edges: Int64  # (g + 1,) where the rows of each begin
    rows: Int64  # repeated where a row gave several moments
    destination: Codes  # (g,)

    @property
    def counts(self) -> Int64:
        """(g,) how many contacts each has."""
        return np.diff(self.edges)

    def some(self, which: npt.NDArray[np.bool_]) -> Crowd:
        """Some of the groups."""
        counts, rows = np.diff(self.edges), np.diff(self.row_edges)
        said, begun = np.repeat(which, counts), np.repeat(which, rows)
        edges, row_edges = (np.append(0, np.cumsum(part[which])) for part in (counts, rows))
        named = Codes(self.destination.code[which], self.destination.texts)
        times, up, down = (column[said] for column in (self.times, self.up, self.down))
        return Crowd(self.group[which], edges, times, up, down, row_edges, self.rows[begun], named)


Worth = Callable[[Crowd], npt.NDArray[np.bool_]]


def all_of(crowd: Crowd) -> npt.NDArray[np.bool_]:
    """(g,) every group is worth a look."""
    return np.ones(len(crowd.group), np.bool_)


def flow_contacts(
    flows: Flows, considered: Int64, exchanges: pa.Table | None, merging: Merging, worth: Worth = all_of
) -> Iterator[Contacts]:
    """Contacts by (device, app, destination) from the ``considered`` rows, of groups ``worth`` it."""
    if not len(considered):
        return
    destination = _destinations(flows, considered)
    package = flows.package.code[considered]
    group, first = numbered(flows.device.code[considered], flows.uid[considered], package, destination.code)

    def asked(crowd: Crowd) -> npt.NDArray[np.bool_]:
        named = Codes(destination.code[first[crowd.group]], destination.texts)
        return worth(replace(crowd, destination=named))

    for merged, gap in _merged(_moments(flows, considered, group, exchanges), merging, asked):
        place = int(first[merged.group[0]])
        yield _contacts(flows, int(considered[place]), destination.text(place), merged, gap)


def lookup_contacts(lookups: Lookups, merging: Merging) -> Iterator[Contacts]:
    """Contacts by (device, app, registrable domain) from look-ups whose answers nobody connected to."""
    rows = np.flatnonzero(lookups.unused)
    if not len(rows):
        return
    device, uid, package = lookups.device.code[rows], lookups.uid[rows], lookups.package.code[rows]
    group, first = numbered(device, uid, package, lookups.domain.code[rows])
    for merged, gap in _merged(Moments(group, lookups.time[rows], lookups.up[rows], lookups.down[rows], rows), merging):
        row = int(rows[first[merged.group[0]]])
        yield _contacts(lookups, row, lookups.domain.text(row), merged, gap)


def _contacts(said: Flows | Lookups, row: int, destination: str | None, merged: Moments, gap_s: float) -> Contacts:
    """Those of one group, whose device and app a row of theirs tells."""
    return Contacts(
        device=said.device.text(row) or "",
        uid=None if said.uid[row] == NULL else int(said.uid[row]),
        package=said.package.text(row),
        destination=destination or "",
        looked_up=isinstance(said, Lookups),
        times=merged.start,
        up=merged.up,
        down=merged.down,
        rows=merged.row,
        merge_gap_s=gap_s,
    )


def outbound_rows(flows: Flows, lookups: Lookups | None, ignored_ports: frozenset[int]) -> Int64:
    """Rows of flows a device opened to somebody: TCP or UDP, no broadcast, multicast, loopback or UDP discovery.

    Flows whose look-ups are in the dns table are left to it; over TCP only where these are all that the client said,
    since a stream may be cut or turn to something else.
    """
    nowhere = np.array([is_group(text) or is_loopback(text) for text in flows.server.texts] + [True])
    carried = np.array([text in ("tcp", "udp") for text in flows.proto.texts] + [False])
    udp = np.array([text == "udp" for text in flows.proto.texts] + [False])[flows.proto.code]
    discovery = udp & np.isin(flows.port, sorted(ignored_ports))
    keep = (flows.inbound == 0) & ~nowhere[flows.server.code] & carried[flows.proto.code] & ~discovery
    if lookups is not None:
        keep &= ~_told(flows, lookups, udp)
    return np.flatnonzero(keep)


def _told(flows: Flows, lookups: Lookups, udp: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n,) whether the dns table tells what the flow said: of UDP anything, else every byte of the client."""
    numbers, place = np.unique(lookups.flow, return_inverse=True)
    sizes = lookups.up + LENGTH_BYTES * (lookups.up > 0)
    told = np.append(np.bincount(place, sizes, len(numbers)), 0)
    row = joined(numbers, flows.flow)
    found: npt.NDArray[np.bool_] = (row != NULL) & (udp | (told[row] >= flows.up))
    return found


def _destinations(flows: Flows, rows: Int64) -> Codes:
    """Registrable domain of what a proxy was asked for, else of the name, else the address."""
    texts = [registrable(text) for text in (*flows.target.texts, *flows.name.texts)] + flows.server.texts
    names, servers = len(flows.target.texts), len(flows.target.texts) + len(flows.name.texts)
    target, name = flows.target.code[rows], flows.name.code[rows]
    code = np.where(target != NULL, target, np.where(name != NULL, name + names, flows.server.code[rows] + servers))
    return Codes(code, texts).renamed(texts)


def _moments(flows: Flows, rows: Int64, group: Int64, exchanges: pa.Table | None) -> Moments:
    """Every short flow, and every exchange inside a long one; ``group`` is that of each of ``rows``.

    Of a short flow the bytes of its exchanges count, without what TLS says itself; of one without any all its bytes.
    """
    flat = Moments(group, flows.start[rows], flows.up[rows], flows.down[rows], rows)
    if exchanges is None:
        return flat
    owner = joined(flows.flow[rows], whole(exchanges["flow"]))
    inside = np.flatnonzero(owner != NULL)
    spoke = np.bincount(owner[inside], minlength=len(rows)) > 0
    for name, total in (("bytes_up", flat.up), ("bytes_down", flat.down)):
        amount = np.bincount(owner[inside], whole(exchanges[name])[inside], len(rows)).astype(np.int64)
        total[spoke] = amount[spoke]
    long = flows.end[rows] - flows.start[rows] > LONG_FLOW_US
    inside = inside[long[owner[inside]]]
    owner = owner[inside]
    silent = flat.taken(np.setdiff1d(np.arange(len(rows)), owner))
    start, up, down = (whole(exchanges[name])[inside] for name in ("start", "bytes_up", "bytes_down"))
    said = Moments(group[owner], start, up, down, rows[owner])
    return Moments(*(np.concatenate([getattr(part, name) for part in (silent, said)]) for name in vars(flat)))


def _merged(moments: Moments, merging: Merging, worth: Worth = all_of) -> Iterator[tuple[Moments, float]]:
    """Each group's contacts in time order at the coarsest gap that does not blur; ``row`` are its distinct rows."""
    if not len(moments.group):
        return
    frequent = moments.taken(np.bincount(moments.group)[moments.group] >= merging.least)
    ordered = frequent.taken(np.lexsort((frequent.start, frequent.group)))
    found: list[tuple[int, Moments, Int64, float]] = []
    for gap in sorted(merging.gaps_s, reverse=True):
        if not len(ordered.group):
            break
        crowd, clear = _crowd(ordered, gap, merging.least)
        taken = np.flatnonzero(clear)
        kept = taken[worth(crowd.some(clear))] if len(taken) else taken
        for k in kept:
            one, rows = slice(*crowd.edges[k : k + 2]), slice(*crowd.row_edges[k : k + 2])
            said = Moments(crowd.group[k : k + 1], crowd.times[one], crowd.up[one], crowd.down[one], crowd.rows[rows])
            found.append((int(crowd.group[k]), said, crowd.rows[rows], gap))
        ordered = ordered.taken(~np.repeat(clear, np.diff(crowd.row_edges)))
    for _, said, begun, gap in sorted(found, key=lambda one: one[0]):
        yield replace(said, row=np.unique(begun)), gap


def _crowd(ordered: Moments, gap_s: float, least: int) -> tuple[Crowd, npt.NDArray[np.bool_]]:
    """All groups merged at one gap, and which of them are many enough and not blurred by it."""
    fresh = np.diff(ordered.group, prepend=-1) != 0
    heads = np.flatnonzero(fresh | (np.diff(ordered.start, prepend=ordered.start[0]) > gap_s * 1e6))
    up, down = (np.add.reduceat(column, heads) for column in (ordered.up, ordered.down))
    edges = np.append(np.flatnonzero(fresh[heads]), len(heads))
    row_edges = np.append(np.flatnonzero(fresh), len(fresh))
    group = ordered.group[row_edges[:-1]]
    crowd = Crowd(group, edges, ordered.start[heads], up, down, row_edges, ordered.row, Codes(group, []))
    (middle,) = grouped_quantiles(*grouped_gaps(crowd.times, edges), 0.5)
    return crowd, (crowd.counts >= max(least, 2)) & (middle >= BLUR * gap_s * 1e6)
