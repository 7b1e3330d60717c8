"""Parts together: one list of texts for all, every pair once with its days and its rate, every habit once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.columns import NULL, Int64
from detector.grouped import Float64
from detector.learned.part import Contacted, Habits, Part, Relayed, keyed
from detector.learned.relayed import clearest
from detector.learned.shares import Pairs


@dataclass(frozen=True)
class Combined:
    """What all parts show; texts sorted, columns hold places in them."""

    devices: tuple[str, ...]
    packages: tuple[str, ...]
    categories: tuple[str, ...]
    destinations: tuple[str, ...]
    protocols: tuple[str, ...]
    category: Int64  # (packages,) of each; NULL: unknown
    pairs: Pairs
    per_day: Float64  # (k,) contacts of each pair in a day of what was recorded of its device
    first: Int64  # (k,) first contact of each pair, microseconds
    habits: Habits
    relayed: Relayed
    device_days: int
    installed: frozenset[tuple[str, str]]  # (device, package) of all inventories


def combined(parts: Sequence[Part], *, hosts: bool = False) -> Combined:
    """The parts together; their order does not matter. With ``hosts`` the destinations are hosts, else domains."""
    if hosts:
        parts = [replace(part, destinations=part.hosts, contacted=part.met) for part in parts]
    devices, packages, destinations, protocols = (
        _vocabulary([getattr(part, name) for part in parts])
        for name in ("devices", "packages", "destinations", "protocols")
    )
    categories, category = _categories(parts, packages)
    rows, owner = _rows(parts, devices, packages, destinations)
    sizes = (len(devices), len(packages), len(categories), len(destinations))
    pairs, first, contacts = _pairs(rows, category, sizes)
    exposure = np.zeros(len(devices))
    spans = np.array([part.span_days for part in parts])
    seen = np.unique(keyed((owner, len(parts)), (rows.device, len(devices))), return_index=True)[1]
    np.add.at(exposure, rows.device[seen], spans[owner[seen]])
    with np.errstate(divide="ignore"):
        per_day = contacts / exposure[pairs.device]
    return Combined(
        devices=devices,
        packages=packages,
        categories=categories,
        destinations=destinations,
        protocols=protocols,
        category=category,
        pairs=pairs,
        per_day=np.where(np.isfinite(per_day), per_day, np.nan),
        first=first,
        habits=_habits(parts, packages, protocols),
        relayed=_relayed(parts, devices, packages),
        device_days=_device_days(rows),
        installed=frozenset(pair for part in parts for pair in part.installed),
    )


def _vocabulary(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({text for some in texts for text in some}))


def _table(texts: Sequence[str], known: Sequence[str]) -> Int64:
    """(len(texts) + 1,) the place of each text among the known ones, and NULL for NULL."""
    place = {text: k for k, text in enumerate(known)}
    return np.array([place[text] for text in texts] + [NULL], np.int64)


def _categories(parts: Sequence[Part], packages: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    """All categories, and that of each package: what most parts say, ties to the first of the alphabet."""
    votes: dict[str, Counter[str]] = {}
    for part in parts:
        for package, category in zip(part.packages, part.categories, strict=True):
            if category:
                votes.setdefault(package, Counter())[category] += 1
    told = {package: min(said, key=lambda one: (-said[one], one)) for package, said in votes.items()}
    categories = tuple(sorted(set(told.values())))
    place = {text: k for k, text in enumerate(categories)}
    codes = [place[told[package]] if package in told else NULL for package in packages]
    return categories, np.array(codes, np.int64)


def _rows(
    parts: Sequence[Part], devices: Sequence[str], packages: Sequence[str], destinations: Sequence[str]
) -> tuple[Contacted, Int64]:
    """The rows of all parts with codes of the whole, and the part of each."""
    known = {"device": devices, "package": packages, "destination": destinations}
    tables = []
    for part in parts:
        own = {"device": part.devices, "package": part.packages, "destination": part.destinations}
        moved = {name: _table(own[name], known[name])[getattr(part.contacted, name)] for name in known}
        tables.append(replace(part.contacted, **moved))
    owner = np.repeat(np.arange(len(parts)), [len(table.device) for table in tables])
    columns = zip(*(vars(table).values() for table in tables), strict=True)
    return Contacted(*(np.concatenate(column) for column in columns)), owner


def _pairs(rows: Contacted, category: Int64, many: tuple[int, int, int, int]) -> tuple[Pairs, Int64, Int64]:
    """Every pair once, with its first contact and its contacts; a day counts once, whoever saw it."""
    devices, packages, _, destinations = many
    pair = keyed((rows.device, devices), (rows.package, packages), (rows.destination, destinations))
    order = np.lexsort((rows.block, pair))
    pair, block = pair[order], rows.block[order]
    fresh = np.diff(pair, prepend=-1) != 0
    heads = np.flatnonzero(fresh | (np.diff(block, prepend=-1) != 0))
    starts = np.flatnonzero(fresh)
    if not len(starts):
        nothing = np.zeros(0, np.int64)
        return Pairs(nothing, nothing, nothing, nothing, nothing, many), nothing, nothing
    days = np.bitwise_count(np.bitwise_or.reduceat(rows.days[order], heads)).astype(np.int64)
    days = np.add.reduceat(days, np.flatnonzero(fresh[heads]))
    one = order[starts]
    kinds = np.append(category, NULL)[rows.package[one]]
    pairs = Pairs(rows.device[one], rows.package[one], kinds, rows.destination[one], days, many)
    return pairs, np.minimum.reduceat(rows.first[order], starts), np.add.reduceat(rows.contacts[order], starts)


def _device_days(rows: Contacted) -> int:
    """Days on which a device spoke to anybody, summed over devices."""
    if not len(rows.device):
        return 0
    order = np.lexsort((rows.block, rows.device))
    device, block = rows.device[order], rows.block[order]
    heads = np.flatnonzero((np.diff(device, prepend=-1) != 0) | (np.diff(block, prepend=-1) != 0))
    return int(np.bitwise_count(np.bitwise_or.reduceat(rows.days[order], heads)).astype(np.int64).sum())


def _habits(parts: Sequence[Part], packages: Sequence[str], protocols: Sequence[str]) -> Habits:
    """Every habit once: flows added, devices joined."""
    tables = []
    for part in parts:
        value = part.habits.value.copy()
        named = part.habits.kind == 3
        value[named] = _table(part.protocols, protocols)[value[named]]
        package = _table(part.packages, packages)[part.habits.package]
        tables.append(replace(part.habits, package=package, value=value))
    columns = Habits(*(np.concatenate(column) for column in zip(*(vars(t).values() for t in tables), strict=True)))
    if not len(columns.package):
        return columns
    order = np.lexsort((columns.value, columns.kind, columns.package))
    rows = Habits(*(column[order] for column in vars(columns).values()))
    fresh = [np.diff(column, prepend=-2) != 0 for column in (rows.package, rows.kind, rows.value)]
    heads = np.flatnonzero(fresh[0] | fresh[1] | fresh[2])
    flows, devices = np.add.reduceat(rows.flows, heads), np.bitwise_or.reduceat(rows.devices, heads)
    return Habits(rows.package[heads], rows.kind[heads], rows.value[heads], flows, devices)


def _relayed(parts: Sequence[Part], devices: Sequence[str], packages: Sequence[str]) -> Relayed:
    """Every app that relayed once, as clearly as any part shows it."""
    device = [_table(part.devices, devices)[part.relayed.device] for part in parts]
    package = [_table(part.packages, packages)[part.relayed.package] for part in parts]
    strength = [part.relayed.strength for part in parts]
    nothing = np.zeros(0, np.int64)
    return clearest(Relayed(*(np.concatenate([nothing, *column]) for column in (device, package, strength))))
