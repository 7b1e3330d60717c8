"""Who speaks to whom: pairs of an app on a device and a destination, and the rows of flows or dns of each.

The first key is the pair itself; the second joins the rare destinations of an app, for names that rotate; the third
parts a domain into its hosts, for a new one of a domain that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.claims import replaced, translated
from detector.columns import NULL, Codes, Int64, dense, ordered, stable_order
from detector.destinations import registrable
from detector.flow_columns import Flows, destinations, named
from detector.lookups import Lookups

#: The destination that stands for all destinations of an app that hardly anybody else contacts.
RARE = "*rare*"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Who spoke to whom: p pairs of (device, app) and destination, and the rows of each in time order."""

    said: Flows | Lookups
    rows: Int64  # (m,) of the flows or dns table, pair after pair
    edges: Int64  # (p + 1,) where the rows of each begin
    app: Int64  # (p,) number of the device and app
    device: Codes  # (p,)
    uid: Int64
    package: Codes
    destination: Codes
    merged: bool = False  # all its destinations are RARE
    by_host: bool = False  # destinations are hosts by their full names

    def __len__(self) -> int:
        return len(self.app)

    def by_app(self, which: Flags) -> Pairs:
        """Some of the pairs joined, all destinations of an app as one: the second key."""
        rows = self.rows[np.repeat(which, np.diff(self.edges))]
        app = np.repeat(self.app[which], np.diff(self.edges)[which])
        order = ordered(app, self.said.time[rows])
        heads, edges = _runs(app[order])
        _, first = np.unique(self.app, return_index=True)
        one = first[np.searchsorted(self.app[first], app[order][heads])]
        device, package = (Codes(part.code[one], part.texts) for part in (self.device, self.package))
        rare = Codes(np.zeros(len(one), np.int64), [RARE])
        return Pairs(self.said, rows[order], edges, self.app[one], device, self.uid[one], package, rare, merged=True)

    def hosts(self) -> tuple[Pairs, Int64]:
        """The same by single hosts, the third key, and the pair (h,) that each is of; of flows with such a name only.

        A host is told by a name that belongs to the pair's domain: where the pair is known by another, the flow's own
        name is not believed.
        """
        assert isinstance(self.said, Flows)
        pair = np.repeat(np.arange(len(self)), np.diff(self.edges))
        host = named(self.said.target, self.said.name, self.rows)
        domain = translated(host.renamed([registrable(text) for text in host.texts]), self.destination.texts)
        told = np.flatnonzero((host.code != NULL) & (domain == self.destination.code[pair]))
        key = pair[told] * (len(host.texts) + 1) + host.code[told]
        order = told[np.argsort(key, kind="stable")]
        heads, edges = _runs(pair[order] * (len(host.texts) + 1) + host.code[order])
        one = pair[order[heads]]
        device, package = (Codes(part.code[one], part.texts) for part in (self.device, self.package))
        whom = Codes(host.code[order[heads]], host.texts)
        rows, app, uid = self.rows[order], self.app[one], self.uid[one]
        return Pairs(self.said, rows, edges, app, device, uid, package, whom, by_host=True), one


def flow_pairs(flows: Flows, considered: Int64, judged: Codes | None = None) -> Pairs:
    """Pairs of the ``considered`` rows of flows; ``judged`` (n,) of claims.judged_by, None: every name is believed."""
    whom = destinations(flows, considered)
    if judged is not None:
        whom = replaced(whom, Codes(judged.code[considered], judged.texts))
    return _paired(flows, considered, whom)


def lookup_pairs(lookups: Lookups) -> Pairs:
    """Pairs of the look-ups whose answers nobody connected to, by registrable domain."""
    rows = np.flatnonzero(lookups.unused)
    return _paired(lookups, rows, Codes(lookups.domain.code[rows], lookups.domain.texts))


def _paired(said: Flows | Lookups, rows: Int64, destination: Codes) -> Pairs:
    if len(rows) and (np.diff(said.time[rows]) < 0).any():
        order = stable_order(said.time[rows])
        rows, destination = rows[order], Codes(destination.code[order], destination.texts)
    app = dense(said.device.code[rows], said.uid[rows], said.package.code[rows])
    key = app * (len(destination.texts) + 1) + destination.code
    order = stable_order(key)
    heads, edges = _runs(key[order])
    one = order[heads]
    device, package = (Codes(part.code[rows[one]], part.texts) for part in (said.device, said.package))
    whom = Codes(destination.code[one], destination.texts)
    return Pairs(said, rows[order], edges, app[one], device, said.uid[rows[one]], package, whom)


def _runs(keys: Int64) -> tuple[Int64, Int64]:
    """Where each run of equal keys begins, and the same with the end of the last."""
    heads = np.flatnonzero(np.diff(keys, prepend=-1) != 0)
    return heads, np.append(heads, len(keys))
