"""Which apps relayed in the learning period, and how clearly: the bridge of AN1702 at its best, or a request granted.

Only the shape of traffic counts, no destination: an app that passed others' traffic on then, on most devices that have
it, does so by its nature, whoever approves of it. What one device alone did is told apart from that: a relay that was
there while the baseline was learned would vouch for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.columns import NULL, Int64
from detector.contract import Telemetry
from detector.grouped import Float64
from detector.learned.part import Part, Relayed, keyed

Flags = npt.NDArray[np.bool_]
SURE = 1000  # thousandths: a strength of 1
LEAST = 0.05  # of a strength that is worth keeping


@dataclass(frozen=True)
class Habit:
    """(g,) how clearly an app relayed in the learning period, 0..1; NaN where nobody could have seen it."""

    own: Float64  # this device's app; NaN: nothing was heard of it
    others: Float64  # the lower median of the other devices with the app; NaN: there is none, or apps are unknown
    devices: Float64  # how many other devices with the app spoke
    silent: Flags  # it was installed there, and nothing was heard of it

    @property
    def here(self) -> Float64:
        """(g,) this device's app, where it was installed and silent 0: it did not relay."""
        return np.where(self.silent, 0.0, self.own)

    @property
    def known(self) -> Float64:
        """(g,) the clearer of what was heard of here and elsewhere; NaN if nothing was."""
        return np.fmax(self.own, self.others)


def unheard(many: int) -> Habit:
    """Of so many apps nothing."""
    unknown = np.full(many, np.nan)
    return Habit(unknown, unknown, np.zeros(many), np.zeros(many, np.bool_))


def relayed_of(telemetry: Telemetry, part: Part) -> Relayed:
    """Of every app of the part that relayed, its best window in thousandths; nobody where flows are not seen."""
    from detector.analytics.relay_measured import measured
    from detector.analytics.relay_score import bridging
    from detector.analytics.traffic_relay import requests
    from detector.thresholds import load_thresholds

    if "flows" not in telemetry:
        return nobody()
    limits = load_thresholds().relay
    found = measured(telemetry, limits, LEAST)
    strength = np.rint(bridging(found.columns, limits) * SURE).astype(np.int64)
    granted = [one for one in requests(telemetry) if one.granted]
    phones, apps = ({text: k for k, text in enumerate(texts)} for texts in (part.devices, part.packages))
    device, package = (
        np.concatenate(
            [
                np.array([place.get(text, NULL) for text in column.texts] + [NULL], np.int64)[column.code],
                np.array([NULL if text is None else place.get(text, NULL) for text in asked], np.int64),
            ]
        )
        for place, column, asked in (
            (phones, found.device, [one.device for one in granted]),
            (apps, found.package, [one.package for one in granted]),
        )
    )
    strength = np.concatenate([strength, np.full(len(granted), SURE, np.int64)])
    kept = np.flatnonzero((device != NULL) & (strength >= LEAST * SURE))
    return clearest(Relayed(device[kept], package[kept], strength[kept]))


def nobody() -> Relayed:
    """No app at all."""
    return Relayed(*(np.zeros(0, np.int64) for _ in range(3)))


def clearest(rows: Relayed) -> Relayed:
    """Every (device, package) once, with its greatest strength; sorted."""
    order = np.lexsort((-rows.strength, rows.package, rows.device))
    device, package, strength = rows.device[order], rows.package[order], rows.strength[order]
    fresh = (np.diff(device, prepend=NULL - 1) != 0) | (np.diff(package, prepend=NULL - 1) != 0)
    return Relayed(device[fresh], package[fresh], strength[fresh])


class Relaying:
    """Who relayed, prepared once from all apps that were there."""

    def __init__(self, device: Int64, package: Int64, relayed: Relayed, many: tuple[int, int]) -> None:
        self.many = many
        there = np.unique(np.concatenate([self._key(device, package), self._key(relayed.device, relayed.package)]))
        self.there = there
        self.strength = np.zeros(len(there))
        self.strength[np.searchsorted(there, self._key(relayed.device, relayed.package))] = relayed.strength / SURE
        self.package = there % (many[1] + 1) + NULL
        order = np.lexsort((self.strength, self.package))
        self.by_app, self.app = order, self.package[order]

    def habit(self, device: Int64, package: Int64) -> Habit:
        """(g,) of apps as places in the texts; negative: unknown to the baseline, or NULL."""
        known = (device >= 0) & (package >= NULL)
        wanted = self._key(np.maximum(device, 0), np.maximum(package, NULL))
        place = np.minimum(np.searchsorted(self.there, wanted), max(len(self.there) - 1, 0))
        if not len(self.there):
            return unheard(len(device))
        mine = known & (self.there[place] == wanted)
        own = np.where(mine, self.strength[place], np.nan)
        others, many = self._others(package, mine, own)
        return Habit(own, others, many, np.zeros(len(device), np.bool_))

    def _others(self, package: Int64, mine: Flags, own: Float64) -> tuple[Float64, Float64]:
        """(g,) the lower median of the app's strengths, one's own left out once, and of how many."""
        low, high = (np.searchsorted(self.app, package, side=side) for side in ("left", "right"))
        rest = high - low - mine
        middle = np.maximum((rest - 1) // 2, 0)
        strength = self.strength[self.by_app]
        at = np.minimum(low + middle, len(strength) - 1)
        # in ascending order all before the own one keep their place, the others move up by one
        found = np.where(
            mine & (strength[at] >= np.nan_to_num(own)), strength[np.minimum(at + 1, len(strength) - 1)], strength[at]
        )
        told = (package >= 0) & (rest > 0)
        return np.where(told, found, np.nan), np.where(told, rest, 0).astype(np.float64)

    def _key(self, device: Int64, package: Int64) -> Int64:
        return keyed((device, self.many[0]), (package, self.many[1]))
