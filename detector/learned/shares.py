"""Who else contacts a destination: shares of other devices and apps, each counted without the device under judgement.

Counting never looks at whom a verdict falls on: a destination that only the very device under judgement vouches for
has a share of 0, however often it went there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.columns import NULL, Codes, Int64
from detector.grouped import Float64
from detector.learned.part import keyed

STRANGER = -2  # a text the baseline has never seen


@dataclass(frozen=True)
class Asked:
    """(g,) who speaks to whom. Codes of detector.columns; NULL: unknown. Destination: registrable domain or address."""

    device: Codes
    package: Codes
    category: Codes
    destination: Codes


@dataclass(frozen=True)
class Deviation:
    """(g,) how unusual each asked pair is; NaN wherever this cannot be told, never 0 for unknown."""

    own_days: Float64  # days of learning on which this device's app contacted it; NaN: device was not there
    app_share: Float64  # of the other devices with the same app, those on which it contacted it
    app_devices: Float64  # how many other devices have the app; NaN: app unknown
    category_share: Float64  # of other apps of the category on other devices, those that contacted it
    fleet_share: Float64  # of the other devices, those that contacted it with any app
    fleet_new: Float64  # 1 nobody contacted it in the learning period, else 0
    fleet_devices: Float64 | None = None  # how many other devices there are; None: so many that shares are exact
    own_app: Float64 | None = None  # 1 the device had the app in the learning period, else 0; None: it was not told
    category_apps: Float64 | None = None  # how many apps that share is of; None: so many that it is exact


class Counts:
    """How often each key of a sorted list occurs; 0 for keys that do not."""

    def __init__(self, keys: Int64) -> None:
        self.keys, self.counts = np.unique(keys, return_counts=True)

    def of(self, wanted: Int64) -> Float64:
        """(m,) how often each wanted key occurs."""
        if not len(self.keys):
            return np.zeros(len(wanted))
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.counts[place], 0).astype(np.float64)


def placed(asked: Codes, known: tuple[str, ...]) -> Int64:
    """(g,) the place of each asked text among the known ones; NULL for null, STRANGER for one that is not there.

    >>> placed(Codes(np.array([0, 1, NULL]), ["b", "x"]), ("a", "b")).tolist()
    [1, -2, -1]
    """
    place = {text: k for k, text in enumerate(known)}
    return np.array([place.get(text, STRANGER) for text in asked.texts] + [NULL], np.int64)[asked.code]


def share(part: Float64, whole: Float64) -> Float64:
    """(g,) the part of the whole; NaN where there is no whole."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


@dataclass(frozen=True)
class Pairs:
    """(k,) every (device, package, destination) of a baseline once, with its days; codes into its texts."""

    device: Int64
    package: Int64
    category: Int64  # of the package; NULL: unknown
    destination: Int64
    days: Int64
    many: tuple[int, int, int, int]  # devices, packages, categories, destinations


class Vouching:
    """Counts over all pairs of a baseline from which every share follows by subtraction."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        device, package, category, destination = pairs.device, pairs.package, pairs.category, pairs.destination
        key = self._key(device, package, destination)
        order = np.argsort(key)
        self.own, self.days = key[order], pairs.days[order]
        reached = np.unique(self._key(device, destination=destination), return_index=True)[1]
        self.reached_by = Counts(self._key(device, destination=destination))
        self.reaching = Counts(destination[reached])
        self.devices = Counts(device[np.unique(device, return_index=True)[1]])
        self.app_reaching = Counts(self._key(middle=package, destination=destination))
        self.kind_reaching = Counts(self._key(middle=category, destination=destination))
        self.mine_reaching = Counts(self._key(device, category, destination))
        apps = np.unique(self._key(device, package), return_index=True)[1]
        self.has = Counts(self._key(device[apps], package[apps]))
        self.app, self.kind = Counts(package[apps]), Counts(category[apps])
        self.mine = Counts(self._key(device[apps], category[apps]))

    def own_days(self, device: Int64, package: Int64, destination: Int64) -> Float64:
        """(g,) days on which each device's app contacted the destination; NaN for a device that was not there."""
        wanted = self._key(device, package, destination)
        there = self.devices.of(device) > 0
        if not len(self.own):
            return np.full(len(wanted), np.nan)
        place = np.minimum(np.searchsorted(self.own, wanted), len(self.own) - 1)
        return np.where(there, np.where(self.own[place] == wanted, self.days[place], 0.0), np.nan)

    def spoke(self, device: Int64, package: Int64) -> npt.NDArray[np.bool_]:
        """(g,) whether the device's app contacted anybody."""
        return np.asarray((package != NULL) & (self.has.of(self._key(device, package)) > 0), np.bool_)

    def of_app(self, device: Int64, package: Int64, destination: Int64) -> tuple[Float64, Float64]:
        """(g,) the share of other devices with the app that contacted it, and how many have the app."""
        known = package != NULL
        others = self.app.of(package) - self.has.of(self._key(device, package))
        theirs = self.app_reaching.of(self._key(middle=package, destination=destination))
        theirs -= self._is_own(device, package, destination)
        return np.where(known, share(theirs, others), np.nan), np.where(known, others, np.nan)

    def of_category(
        self, device: Int64, package: Int64, category: Int64, destination: Int64
    ) -> tuple[Float64, Float64]:
        """(g,) of other apps of the category on other devices, the share that contacted it, and how many there are.

        Apps count by device.
        """
        same = np.where(self._category_of(package) == category, 1.0, 0.0)
        others = self.kind.of(category) - self.mine.of(self._key(device, category))
        others -= same * (self.app.of(package) - self.has.of(self._key(device, package)))
        theirs = self.kind_reaching.of(self._key(middle=category, destination=destination))
        theirs -= self.mine_reaching.of(self._key(device, category, destination))
        mates = self.app_reaching.of(self._key(middle=package, destination=destination))
        theirs -= same * (mates - self._is_own(device, package, destination))
        known = category != NULL
        return np.where(known, share(theirs, others), np.nan), np.where(known, others, np.nan)

    def of_fleet(self, device: Int64, destination: Int64) -> tuple[Float64, Float64, Float64]:
        """(g,) the share of other devices that contacted it with any app, how many others there are, how many did."""
        everybody = self.reaching.of(destination)
        others = len(self.devices.keys) - self.devices.of(device)
        mine = self.reached_by.of(self._key(device, destination=destination)) > 0
        return share(everybody - mine, others), others, everybody

    def _is_own(self, device: Int64, package: Int64, destination: Int64) -> Float64:
        if not len(self.own):
            return np.zeros(len(device))
        wanted = self._key(device, package, destination)
        place = np.minimum(np.searchsorted(self.own, wanted), len(self.own) - 1)
        same = self.own[place] == wanted
        return np.asarray(same, np.float64)

    def _category_of(self, package: Int64) -> Int64:
        table = np.full(self.pairs.many[1] + 2, NULL, np.int64)
        table[self.pairs.package] = self.pairs.category
        return np.where(package < 0, NULL, table[package])

    def _key(self, device: Int64 | None = None, middle: Int64 | None = None, destination: Int64 | None = None) -> Int64:
        """Codes as one number, those not given as NULL; a stranger is one more text, which no pair has."""
        devices, packages, categories, destinations = self.pairs.many
        given = ((device, devices), (middle, max(packages, categories)), (destination, destinations))
        rows = max(len(column) for column, _ in given if column is not None)
        columns = [(np.full(rows, NULL, np.int64) if column is None else column, many) for column, many in given]
        return keyed(*((np.where(column == STRANGER, many, column), many + 1) for column, many in columns))
