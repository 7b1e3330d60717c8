"""How an app or a category usually speaks: rates, hours, sizes, protocols and ports that several devices vouch for.

One device alone makes nothing usual: what a single implant does in the learning period does not come in here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Int64
from detector.grouped import Float64, grouped_quantiles
from detector.learned.combined import Combined
from detector.learned.habits import STEPS
from detector.learned.part import KINDS, Bits

FEWEST_PAIRS = 8  # of app and destination, for a category's median and MAD to mean something
VOUCHERS = 2
MAD_TO_SIGMA = 1.4826  # of a normal distribution
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Usual:
    """How flows of an app or category look; sizes are quantiles at SHARES, in bytes, good to half an octave."""

    flows: int
    protocols: frozenset[str]
    ports: frozenset[int]
    hours: Float64  # (24,) share of the flows that began in each hour of the day, UTC
    up: Float64  # (5,)
    down: Float64


@dataclass(frozen=True)
class Rates:
    """(c,) of each category the median of log2 contacts a day over its pairs, and their spread; NaN: too few."""

    middle: Float64
    spread: Float64

    def z(self, category: Int64, per_day: Float64) -> Float64:
        """(g,) robust deviations above the median of the category."""
        middle, spread = np.append(self.middle, np.nan), np.append(self.spread, np.nan)
        at = np.where(category < 0, -1, category)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((np.log2(per_day) - middle[at]) / spread[at], np.float64)


def rates_of(known: Combined) -> Rates:
    """The rates of every category. On a log scale, since rates lie orders of magnitude apart."""
    usable = (known.pairs.category != NULL) & (known.per_day > 0)
    category, rate = known.pairs.category[usable], np.log2(known.per_day[usable])
    order = np.argsort(category, kind="stable")
    category, rate = category[order], rate[order]
    edges = np.searchsorted(category, np.arange(len(known.categories) + 1))
    (middle,) = grouped_quantiles(rate, edges, 0.5)
    (spread,) = grouped_quantiles(np.abs(rate - middle[category]), edges, 0.5)
    enough = np.diff(edges) >= FEWEST_PAIRS
    floor = 1 / STEPS  # half an octave: a category whose rates are all alike still varies
    return Rates(np.where(enough, middle, np.nan), np.where(enough, np.maximum(MAD_TO_SIGMA * spread, floor), np.nan))


def usual_of(known: Combined, *, package: str | None, category: str | None) -> Usual | None:
    """How the app, or the category, speaks; None where it is unknown or on fewer than VOUCHERS devices."""
    rows = np.flatnonzero(_chosen(known, package, category)[known.habits.package])
    kind, value = known.habits.kind[rows], known.habits.value[rows]
    flows, devices = known.habits.flows[rows], known.habits.devices[rows]
    if not len(rows) or _many(devices) < VOUCHERS:
        return None
    counted = {name: _vouched(value[kind == k], devices[kind == k]) for k, name in enumerate(KINDS)}
    hours = np.zeros(24)
    of_hour, n = _all(value[kind == 0], flows[kind == 0])
    hours[of_hour] = n
    return Usual(
        flows=int(n.sum()),
        protocols=frozenset(known.protocols[k] for k in counted["protocol"]),
        ports=frozenset(int(port) for port in counted["port"]),
        hours=hours / max(n.sum(), 1),
        up=_quantiles(value[kind == 1], flows[kind == 1]),
        down=_quantiles(value[kind == 2], flows[kind == 2]),
    )


def _chosen(known: Combined, package: str | None, category: str | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(packages + 1,) which apps are asked for; the last is the unknown app, never."""
    names = np.array([text == package for text in known.packages] + [False])
    if package is not None:
        return names
    wanted = known.categories.index(category) if category in known.categories else len(known.categories)
    return np.append(known.category == wanted, False)


def _many(devices: Bits) -> int:
    """At least so many devices are in these."""
    return int(np.bitwise_count(np.bitwise_or.reduce(devices)))


def _vouched(value: Int64, devices: Bits) -> Int64:
    """The values that at least VOUCHERS devices have."""
    if not len(value):
        return value
    order = np.argsort(value, kind="stable")
    heads = np.flatnonzero(np.diff(value[order], prepend=-2) != 0)
    joined = np.bitwise_or.reduceat(devices[order], heads)
    return value[order][heads][np.bitwise_count(joined) >= VOUCHERS]


def _all(value: Int64, flows: Int64) -> tuple[Int64, Int64]:
    distinct, place = np.unique(value, return_inverse=True)
    return distinct, np.bincount(place, flows, len(distinct)).astype(np.int64)


def _quantiles(value: Int64, flows: Int64) -> Float64:
    """(5,) sizes in bytes at SHARES, at the lower edge of their half octave."""
    steps, n = _all(value, flows)
    if not len(steps):
        return np.full(len(SHARES), np.nan)
    place = np.searchsorted(np.cumsum(n), np.array(SHARES) * n.sum(), side="left")
    step = steps[np.minimum(place, len(steps) - 1)]
    return np.where(step == 0, 0.0, 2.0 ** ((step - 1) / STEPS))
