"""How many unrelated destinations an app's relayed flows reach: a relay goes where its customers say.

A destination counts as much as it is unexpected (detector.baseline): fully without one, less if this device's app went
there in the learning period, the less the more other devices with the app do. Needs flows; names make it meaningful.
Raised wrongly by browsers, advertising, torrents.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detector.features.baseline_deviation import KNOWN, at_least
from detector.grouped import Float64

if TYPE_CHECKING:
    from detector.baseline import Deviation

MANY = 50


def fan_out(unrelated: Float64) -> Float64:
    """(w,) ln(unrelated) / ln 50, cut to 0..1: one destination gives 0, fifty give 1 (measurements, R4).

    >>> fan_out(np.array([0.0, 1.0, 50.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.minimum(1.0, np.log(np.maximum(unrelated, 1.0)) / math.log(MANY))


def unrelated(deviation: Deviation) -> Float64:
    """(g,) how little a destination is explained by what was learned, 0..1; all NaN: fully unrelated.

    1 - the share of other devices with the app that go there, or else of other apps of the category, each at least
    (Wilson): one other device, whatever it does, vouches for little. What this device's app did itself leaves KNOWN
    however often it went there, and is halved towards that by every day: an implant that was there vouches no further.

    >>> from detector.features.baseline_deviation import _example
    >>> nan = float("nan")
    >>> found = unrelated(_example(own_days=[9, 0, 0, 2, nan], app_share=[nan, 1, 1, 1, nan],
    ...     app_devices=[0, 1, 19, 19, nan], category_share=[nan, 1, 1, 1, nan]))
    >>> found.round(2).tolist()
    [0.35, 0.73, 0.12, 0.06, 1.0]
    """
    alike = deviation.category_share
    if deviation.category_apps is not None:
        alike = at_least(alike, deviation.category_apps)
    alone = np.isnan(deviation.app_share)
    shared = np.where(alone, alike, at_least(deviation.app_share, deviation.app_devices))
    own = KNOWN + (1 - KNOWN) * 2.0 ** -np.nan_to_num(deviation.own_days)
    return np.asarray((1 - np.nan_to_num(shared, nan=0.0)) * own, np.float64)


def newness(novelty: Float64) -> Float64:
    """(w,) how new it is that an app relays, from the share of its relayed destinations that are new.

    KNOWN at half, 1 from nine tenths on, straight between: customers of a relay that was there always go to some new
    places as well, and those of a new one by chance to some known. NaN stays unknown.

    >>> newness(np.array([0.0, 0.25, 0.5, 0.7, 1.0])).round(3).tolist()
    [0.0, 0.175, 0.35, 0.675, 1.0]
    """
    return np.interp(novelty, [0.0, 0.5, 0.9], [0.0, KNOWN, 1.0])


def known_relief(new: Float64, floor: float) -> Float64:
    """(w,) what is left of a score of something as new as that, 0..1; all if unknown (NaN).

    >>> known_relief(np.array([0.0, 1.0, float("nan")]), 0.3).tolist()
    [0.3, 1.0, 1.0]
    """
    return floor + (1 - floor) * np.nan_to_num(new, nan=1.0)
