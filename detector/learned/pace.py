"""How often an app went somewhere in the learning period, a day: what today's rate is held against.

Contacts a day of what was recorded of a device (detector/learned/combined.py). Nothing here judges; NaN is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Int64
from detector.grouped import Float64
from detector.learned.combined import Combined
from detector.learned.part import DAY_US, keyed
from detector.learned.shares import STRANGER
from detector.learned.usual import VOUCHERS

RESOLVER = "netd"  # Android's resolver, which asks for every app (AOSP system/netd; AID_DNS)
OWN_PLACES = 3  # destinations that only one device has before an app is held for one that each user points elsewhere


@dataclass(frozen=True)
class Pace:
    """(g,) contacts a day in the learning period; NaN where nothing was learned of the app."""

    usual: Float64  # the most that any device with the app had with this destination; 0: none ever went there
    own_places: (
        Float64  # with the third of those destinations that are one device's alone, on the second busiest device
    )
    strangers: Float64  # with all of those together, likewise; 0 for both unless two devices have as many
    newcomers: Float64  # destinations of no other app that it met, a day: on this device, or on the second busiest


@dataclass(frozen=True)
class Former:
    """(k,) pairs of the learning period, as places in the baseline's texts, with their contacts a day."""

    device: Int64
    package: Int64
    destination: Int64
    per_day: Float64


class Paces:
    """The rates of all pairs, prepared once."""

    def __init__(self, known: Combined) -> None:
        pairs = known.pairs
        self.sizes = len(known.packages), len(known.destinations)
        rate = np.nan_to_num(known.per_day)
        self.pairs = Former(pairs.device, pairs.package, pairs.destination, rate)
        self.usual = Highest(self._key(pairs.package, pairs.destination), rate)
        self.there = Highest(self._key(pairs.package), rate)
        reached = np.unique(keyed((pairs.device, len(known.devices)), (pairs.destination, self.sizes[1])))
        by = np.bincount(reached % (self.sizes[1] + 1) + NULL, minlength=self.sizes[1])
        alone = np.flatnonzero(by[pairs.destination] == 1)
        package, rates = _solitary(pairs.device[alone], pairs.package[alone], rate[alone], third=True)
        self.own_places = vouched(self._key(package), rates)
        package, rates = _solitary(pairs.device[alone], pairs.package[alone], rate[alone], third=False)
        self.strangers = vouched(self._key(package), rates)
        self.many = len(known.devices)
        device, package, rates = _newcomers(known, self.sizes)
        self.newcomers = Highest(keyed((device, self.many), (package, self.sizes[0])), rates)
        self.newcomers_elsewhere = vouched(self._key(package), rates)

    def of(self, device: Int64, package: Int64, destination: Int64) -> Pace:
        """(g,) of each device's app and destination, as places in the baseline's texts; NULL and STRANGER as there.

        A device vouches for its own pace: what goes on as it went on is no event, whoever else is slower.
        """
        app = self._key(package)
        unknown = np.where(self.there.of(app) > 0, 0.0, np.nan)
        whom = self._key(package, destination)
        usual, places, strangers = self.usual.of(whom), self.own_places.of(app), self.strangers.of(app)
        there = (device >= 0) & (package >= NULL)
        mine = keyed((np.where(there, device, NULL), self.many), (np.where(there, package, NULL), self.sizes[0]))
        newcomers = np.maximum(np.where(there, self.newcomers.of(mine), 0.0), self.newcomers_elsewhere.of(app))
        return Pace(usual + unknown, places + unknown, strangers + unknown, newcomers + unknown)

    def _key(self, package: Int64, destination: Int64 | None = None) -> Int64:
        whom = np.full(len(package), NULL, np.int64) if destination is None else destination
        given = zip((package, whom), self.sizes, strict=True)
        return keyed(*((np.where(column == STRANGER, many, column), many + 1) for column, many in given))


class Highest:
    """The highest value of each key; 0 for keys that do not occur."""

    def __init__(self, keys: Int64, values: Float64) -> None:
        self.keys, place = np.unique(keys, return_inverse=True)
        self.values = np.zeros(len(self.keys))
        np.maximum.at(self.values, place, values)

    def of(self, wanted: Int64) -> Float64:
        """(m,) of each wanted key.

        >>> Highest(np.array([4, 2, 4]), np.array([1.0, 5.0, 3.0])).of(np.array([4, 9])).tolist()
        [3.0, 0.0]
        """
        if not len(self.keys):
            return np.zeros(len(wanted))
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.values[place], 0.0)


def vouched(keys: Int64, values: Float64) -> Highest:
    """The second highest value of each key: one device makes no habit of an app, not even of its own.

    >>> vouched(np.array([4, 2, 4, 4]), np.array([1.0, 5.0, 3.0, 9.0])).of(np.array([4, 2])).tolist()
    [3.0, 0.0]
    """
    order = np.lexsort((-values, keys))
    heads = np.flatnonzero(np.diff(keys[order], prepend=-1) != 0)
    second = heads[np.diff(np.append(heads, len(keys))) >= VOUCHERS] + VOUCHERS - 1
    return Highest(keys[order][second], values[order][second])


def _newcomers(known: Combined, sizes: tuple[int, int]) -> tuple[Int64, Int64, Float64]:
    """By device and app: destinations that no other app contacts, for each day of what was learned."""
    pairs = known.pairs
    if not len(known.first):
        return pairs.device, pairs.package, np.zeros(0)
    resolver = np.array([text == RESOLVER for text in known.packages] + [True])  # look-ups are of no app of their own
    told = ~resolver[pairs.package]
    met = np.unique(keyed((pairs.package[told], sizes[0]), (pairs.destination[told], sizes[1]))) % (sizes[1] + 1) + NULL
    own = told & (np.bincount(met, minlength=sizes[1])[pairs.destination] == 1)
    who, count = np.unique(np.stack([pairs.device, pairs.package])[:, own], axis=1, return_counts=True)
    days = max((int(known.first.max()) - int(known.first.min())) / DAY_US, 1.0)
    return who[0], who[1], count / days


def _solitary(device: Int64, package: Int64, rate: Float64, *, third: bool) -> tuple[Int64, Float64]:
    """By device and app: the rate of its OWN_PLACES-th busiest destination, or of all together."""
    order = np.lexsort((-rate, package, device))
    device, package, rate = device[order], package[order], rate[order]
    heads = np.flatnonzero((np.diff(device, prepend=-2) != 0) | (np.diff(package, prepend=-2) != 0))
    if not len(heads):
        return package, rate
    enough = np.diff(np.append(heads, len(rate))) >= OWN_PLACES
    total, heads = np.add.reduceat(rate, heads)[enough], heads[enough]
    return package[heads], rate[heads + OWN_PLACES - 1] if third else total
