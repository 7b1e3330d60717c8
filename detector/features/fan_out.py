"""How many unrelated destinations an app's relayed flows reach: a relay goes where its customers say.

A destination counts as much as it is unexpected (detector.baseline): not at all if this device's app went there in the
learning period, less if the same app does on other devices, fully without a baseline. Needs flows; names make it
meaningful. Raised wrongly by browsers, advertising, torrents.
"""

from __future__ import annotations

import math

import numpy as np

from detector.grouped import Float64

MANY = 50


def fan_out(unrelated: Float64) -> Float64:
    """(w,) ln(unrelated) / ln 50, cut to 0..1: one destination gives 0, fifty give 1 (measurements, R4).

    >>> fan_out(np.array([0.0, 1.0, 50.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.minimum(1.0, np.log(np.maximum(unrelated, 1.0)) / math.log(MANY))


def unrelated(own_days: Float64, app_share: Float64, category_share: Float64) -> Float64:
    """(g,) how little a destination is explained by what was learned, 0..1; all NaN: fully unrelated.

    1 - the share of other devices with the app that go there, or else of other apps of the category; 0 if this
    device's app went there itself in the learning period.

    >>> nan = float("nan")
    >>> unrelated(np.array([3.0, 0, nan]), np.array([nan, 0.25, nan]), np.array([nan, 1.0, nan])).tolist()
    [0.0, 0.75, 1.0]
    """
    shared = np.where(np.isnan(app_share), category_share, app_share)
    return np.where(own_days > 0, 0.0, 1 - np.nan_to_num(shared, nan=0.0))


def newness(novelty: Float64) -> Float64:
    """(w,) how new it is that an app relays, from the share of its relayed destinations that are new.

    0 up to half, 1 from nine tenths on: customers of a relay that was there always go to some new places as well, and
    those of a new one by chance to some known. NaN stays unknown.

    >>> newness(np.array([0.3, 0.5, 0.7, 1.0])).round(2).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    return np.asarray(np.clip((novelty - 0.5) / 0.4, 0.0, 1.0), np.float64)


def known_relief(new: Float64, floor: float) -> Float64:
    """(w,) what is left of a score of something as new as that, 0..1; all if unknown (NaN).

    >>> known_relief(np.array([0.0, 1.0, float("nan")]), 0.3).tolist()
    [0.3, 1.0, 1.0]
    """
    return floor + (1 - floor) * np.nan_to_num(new, nan=1.0)
