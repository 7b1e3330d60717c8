"""Deviation from the enterprise baseline for an app: a destination new to it, that its peers and the fleet leave alone.

Raised wrongly by what belongs to one user: a self-hosted server, a tenant's own vendor host, the only phone with a
line-of-business app. Needs names (or stable addresses) and at least one other device; apps where the sensor has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detector.grouped import Float64

if TYPE_CHECKING:
    from detector.baseline import Deviation

KNOWN: Final = (
    0.35  # what is left of the gate for a destination the app has long gone to (measured on a throw-away simulator)
)
Z: Final = 1.645  # of the normal distribution, one-sided 95 %
UNKNOWN: Final = 0.5  # the middle of a part that cannot be told: neither cleared nor suspected


def newness(deviation: Deviation) -> Float64:
    """(g,) 1 the device's app never went there in the learning period; halved by every day on which it did.

    A phone that was not there is as new as the destination is to the fleet: 1 if nobody went there, else UNKNOWN; where
    there was no learning period it is UNKNOWN. So it is of an app that came to the phone only since: wherever it goes
    is new, which says nothing. An implant that comes as an app of its own has that advantage.

    >>> newness(_example(own_days=[0, 2, np.nan, np.nan, 0], fleet_new=[0, 0, 1, np.nan, 1],
    ...     own_app=[1, 1, np.nan, np.nan, 0])).tolist()
    [1.0, 0.25, 1.0, 0.5, 0.5]
    """
    fleet = np.where(deviation.fleet_new == 1, 1.0, UNKNOWN)
    new = np.where(np.isnan(deviation.own_days), fleet, 2.0 ** -np.nan_to_num(deviation.own_days))
    if deviation.own_app is None:
        return new
    return np.where((deviation.own_app == 0) & (new > UNKNOWN), UNKNOWN, new)


def at_least(share: Float64, many: Float64) -> Float64:
    """(g,) what a share of ``many`` is at least: the lower end of Wilson's one-sided 95 % interval (from memory).

    So one phone that also goes there vouches for little, though it may be all the others there are.

    >>> at_least(np.array([1.0, 1.0, 0.0, 0.5]), np.array([1, 19, 19, np.inf])).round(3).tolist()
    [0.27, 0.875, 0.0, 0.5]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z2 = Z**2 / many
        spread = np.sqrt(np.maximum(share * (1 - share), 0) * z2 + z2**2 / 4)
        return np.asarray(np.maximum((share + z2 / 2 - spread) / (1 + z2), 0.0), np.float64)


def rarity(deviation: Deviation) -> Float64:
    """(g,) 1 at a thousandth of the other devices (at least) or none, 0 at a tenth; NaN without another device.

    New to the whole fleet is rare, however many phones share it by now: so a campaign looks.

    >>> rarity(_example(fleet_share=[0, 0.01, 0.2, 0.5, np.nan], fleet_new=[0, 0, 0, 1, np.nan])).tolist()
    [1.0, 0.5, 0.0, 1.0, nan]
    """
    share = deviation.fleet_share
    share = share if deviation.fleet_devices is None else at_least(share, deviation.fleet_devices)
    with np.errstate(divide="ignore"):
        rare = np.clip((-np.log10(share) - 1) / 2, 0.0, 1.0)
    return np.where(deviation.fleet_new == 1, 1.0, rare)


def elsewhere(deviation: Deviation) -> Float64:
    """(g,) rarity among the other devices that do not go there with the same app; UNKNOWN without any.

    What an app's own users share is its vendor's, and says nothing of how common the destination is otherwise.

    >>> elsewhere(_example(fleet_share=[0.5, 0.5], fleet_devices=[10, 10], app_share=[1, 0], app_devices=[5, 5],
    ...     fleet_new=[0, 0])).round(2).tolist()
    [1.0, 0.0]
    """
    if deviation.fleet_devices is None:
        rare = rarity(deviation)
        return np.where(np.isnan(rare), UNKNOWN, rare)
    mates = np.nan_to_num(deviation.app_share * deviation.app_devices)
    others = deviation.fleet_devices - np.nan_to_num(deviation.app_devices)
    theirs = np.maximum(np.nan_to_num(deviation.fleet_share * deviation.fleet_devices) - mates, 0.0)
    share = at_least(np.minimum(theirs / np.maximum(others, 1), 1.0), np.maximum(others, 1))
    with np.errstate(divide="ignore"):
        rare = np.clip((-np.log10(share) - 1) / 2, 0.0, 1.0)
    return np.where(others > 0, rare, UNKNOWN)


def baseline_gate(deviation: Deviation) -> Float64:
    """(g,) 0 as everybody does, 1 as nobody does: appdev^4 (.35 + .65 new) (.5 + .5 rare).

    appdev is 1 less the share of others with the app that go there. The word of n others counts n / (n + 1); the rest
    of that factor, all of it where no other device has the app or apps are unknown, is the destination's rarity in the
    fleet. Rarity is UNKNOWN where there is no other device.

    >>> gate = baseline_gate(_example(own_days=[0, 0, 0, 64, np.nan], app_share=[0, 1, np.nan, 0, np.nan],
    ...     app_devices=[99, 99, 0, 99, np.nan], fleet_share=[0, 0.9, 0, 0, np.nan], fleet_new=[1, 0, 1, 0, np.nan]))
    >>> gate.round(3).tolist()
    [1.0, 0.0, 1.0, 0.35, 0.338]
    """
    told = ~np.isnan(deviation.app_share)
    others = np.where(told, np.nan_to_num(deviation.app_devices), 0.0)
    trust = others / (others + 1)
    rare = rarity(deviation)
    rare = np.where(np.isnan(rare), UNKNOWN, rare)
    alone = (1 - np.where(told, deviation.app_share, 1.0)) ** 4
    apart = trust * alone * (0.5 + 0.5 * rare) + (1 - trust) * rare
    return np.asarray(apart * (KNOWN + (1 - KNOWN) * newness(deviation)), np.float64)


def _example(**columns: list[float]) -> Deviation:
    """A deviation of the columns given, the others unknown: for the examples above."""
    from detector.baseline import Deviation

    names = ("own_days", "app_share", "app_devices", "category_share", "fleet_share", "fleet_new")
    rows = len(next(iter(columns.values())))
    found = {name: np.array(columns.get(name, [np.nan] * rows), np.float64) for name in names}
    exact = {name: np.array(columns[name]) for name in ("fleet_devices", "own_app") if name in columns}
    return Deviation(**found, **exact)
