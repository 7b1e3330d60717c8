"""The groups of AN1793 and every factor of each, before anything is called suspicious.

First key: device, app and destination. Second: device, app and all the destinations hardly anybody else contacts, for
names that rotate. Third, with a learned baseline: device, app and a host that is new under a known domain.
Tuning, ablation and counterfactuals use exactly these columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.analytics.polling_columns import (
    Columns,
    averaged,
    columns_of,
    fresh_hosts,
    host_columns,
    pair_columns,
    rare_pairs,
    rates,
)
from detector.analytics.polling_history import history_columns, usual_paces
from detector.analytics.polling_surroundings import Surroundings
from detector.columns import Codes, Int64
from detector.contacts import RARE, Contacts, Crowd, Merging, Pairs, crowd_of
from detector.contract import Telemetry
from detector.grouped import Float64, grouped_kinds
from detector.lookups import Lookups
from detector.thresholds import PollingThresholds


@dataclass(frozen=True)
class Part:
    """The groups of one kind: with flows or look-ups, each destination by itself or rare ones merged."""

    crowd: Crowd
    around: Columns  # (g,) what is of all times: what others do, and the contact rate
    columns: Columns  # (g,) all factors, those included
    paces: tuple[Float64, Float64, Float64]  # (g,) polling_history.usual_paces; their columns depend on what was seen


@dataclass(frozen=True)
class Measured:
    """g groups, part after part, and every factor as a named (g,) column; NaN where this sensor cannot tell."""

    known: Surroundings
    parts: Sequence[Part]
    columns: Columns

    def __len__(self) -> int:
        return sum(len(part.crowd) for part in self.parts)

    @property
    def device(self) -> Codes:
        """(g,) who, as the three that follow."""
        return joined_codes([part.crowd.device for part in self.parts])

    @property
    def uid(self) -> Int64:
        """(g,) NULL where unknown."""
        return np.concatenate([np.zeros(0, np.int64), *(part.crowd.uid for part in self.parts)])

    @property
    def package(self) -> Codes:
        """(g,) the app."""
        return joined_codes([part.crowd.package for part in self.parts])

    @property
    def category(self) -> Codes:
        """(g,) of the app, from the inventory."""
        found = []
        for part in self.parts:
            of = self.known.categories(part.crowd.pairs)
            found.append(Codes(of.code[part.crowd.pair], of.texts))
        return joined_codes(found)

    @property
    def destination(self) -> Codes:
        """(g,) registrable domain, address, or RARE."""
        return joined_codes([part.crowd.destination for part in self.parts])

    @property
    def looked_up(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(g,) whether the contacts are look-ups."""
        return np.concatenate(
            [np.zeros(0, np.bool_), *(np.full(len(part.crowd), part.crowd.looked_up) for part in self.parts)]
        )

    @property
    def beside(self) -> npt.NDArray[np.bool_]:
        """(g,) whether it is of the second or third key: what it holds is in groups of the first too."""
        keys = [np.full(len(part.crowd), part.crowd.pairs.merged or part.crowd.pairs.by_host) for part in self.parts]
        return np.concatenate([np.zeros(0, np.bool_), *keys])

    @property
    def first(self) -> Int64:
        """(g,) the first contact, microseconds."""
        return np.concatenate([np.zeros(0, np.int64), *(part.crowd.first for part in self.parts)])

    @property
    def last(self) -> Int64:
        """(g,) the last contact."""
        return np.concatenate([np.zeros(0, np.int64), *(part.crowd.last for part in self.parts)])

    def place(self, group: int) -> tuple[Part, int]:
        """The part of a group, and its number there."""
        for part in self.parts:
            if group < len(part.crowd):
                return part, group
            group -= len(part.crowd)
        raise IndexError(f"group {group}: found {len(self)} groups")

    def rows(self, group: int) -> Int64:
        """The rows of flows or dns of one group."""
        part, number = self.place(group)
        return part.crowd.rows_of(number)

    def contacts(self, group: int) -> Contacts:
        """The contacts of one group."""
        part, number = self.place(group)
        return part.crowd.one(number)


def measured(telemetry: Telemetry, limits: PollingThresholds) -> Measured:
    """Every group with enough contacts; its baseline is the telemetry's, else what the telemetry itself tells."""
    known = Surroundings.read(telemetry, limits.ignored_ports)
    parts = []
    for pairs in (known.flow_pairs, known.lookup_pairs):
        if pairs is not None and len(pairs):
            parts += _parts(pairs, known, limits)
    names = parts[0].columns if parts else ()
    return Measured(known, parts, {name: np.concatenate([part.columns[name] for part in parts]) for name in names})


def _parts(pairs: Pairs, known: Surroundings, limits: PollingThresholds) -> list[Part]:
    merging = Merging(limits.merge_gap_s, limits.connection_frequency_threshold)
    around = pair_columns(pairs, known)
    found = [_part(crowd_of(pairs, known.exchanges, merging), around, known, limits)]
    rare = rare_pairs(around, limits)
    if rare.any():
        joined = pairs.by_app(rare)
        crowd = crowd_of(joined, known.exchanges, merging)
        found.append(_part(_rotating(crowd, known), averaged(around, pairs, rare), known, limits))
    if not known.baseline.itself and not isinstance(pairs.said, Lookups):
        found.append(_hosts(pairs, around, known, merging, limits))
    return [part for part in found if len(part.crowd)]


def _part(crowd: Crowd, around: Columns, known: Surroundings, limits: PollingThresholds) -> Part:
    beside = {name: column[crowd.pair] for name, column in around.items()}
    beside["contact_rate"] = rates(crowd, known, limits)
    paces = usual_paces(crowd, known)
    beside |= history_columns(crowd, known, beside["own_days"], paces)
    if not len(crowd):
        return Part(crowd, beside, {}, paces)
    until = np.full(len(crowd), known.span[1])
    return Part(crowd, beside, columns_of(crowd, until, known, limits) | beside, paces)


def _hosts(pairs: Pairs, around: Columns, known: Surroundings, merging: Merging, limits: PollingThresholds) -> Part:
    """The third key: hosts that are new under a domain that is known, each by itself."""
    hosts, of = pairs.hosts()
    domains = {name: column[of] for name, column in around.items()}
    columns = host_columns(hosts, domains, known)
    crowd = crowd_of(hosts, known.exchanges, merging)
    fresh = fresh_hosts(columns, domains)
    return _part(crowd.taken(np.flatnonzero(fresh[crowd.pair])), columns, known, limits)


def _rotating(crowd: Crowd, known: Surroundings) -> Crowd:
    """The merged groups without those of which one destination has half the rows: these have a group of their own."""
    if not len(crowd):
        return crowd
    whom = known.destination_of(crowd.rows, looked_up=crowd.looked_up)
    largest = _largest_share(whom.code, crowd.row_edges)
    return crowd.taken(np.flatnonzero(largest < 0.5))


def _largest_share(kinds: Int64, edges: Int64) -> Float64:
    """(g,) the share of the most frequent value of each group."""
    width = int(kinds.max(initial=0)) + 1
    group, _ = grouped_kinds(kinds, edges)
    each = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    _, counts = np.unique(each * width + kinds, return_counts=True)
    most = np.zeros(len(edges) - 1)
    np.maximum.at(most, group, counts)
    return most / np.diff(edges)


def joined_codes(parts: Sequence[Codes]) -> Codes:
    """The rows of several columns, one after another."""
    texts = sorted({text for part in parts for text in part.texts})
    place = {text: k for k, text in enumerate(texts)}
    code = [np.array([*(place[text] for text in part.texts), -1], np.int64)[part.code] for part in parts]
    return Codes(np.concatenate([np.zeros(0, np.int64), *code]), texts)


def is_rare(destination: str) -> bool:
    """Whether the destination stands for several."""
    return destination == RARE
