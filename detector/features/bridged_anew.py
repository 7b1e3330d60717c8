"""How much more clearly an app relays than while the baseline was learned: a relay by nature does as it always did.

Raised wrongly by what is switched on for the first time (a hotspot on a journey), installed later with others that do
not relay, or learned in too short a time. Lowered wrongly by an implant that was there when the baseline was learned:
somewhat by this device, and by the others with the app as far as most of them relay and are many. Needs a learned
baseline in which this app was there, on this device or another.
"""

from __future__ import annotations

import numpy as np

from detector.features.baseline_deviation import KNOWN, at_least
from detector.grouped import Float64

OLD = 0.75  # share of today's strength from which on the past explains all of it
NEW = 0.35  # ... and up to which it explains nothing


def bridged_anew(past: Float64, now: Float64) -> Float64:
    """(w,) 1 where the bridge of the past was at most NEW of today's, 0 from OLD on; NaN where the past is unknown.

    >>> bridged_anew(np.array([0.0, 0.9, 0.5, np.nan]), np.array([0.9, 0.9, 0.9, 0.9])).round(2).tolist()
    [1.0, 0.0, 0.49, nan]
    """
    explained = past / np.maximum(now, 1e-6)
    return np.asarray(np.clip((OLD - explained) / (OLD - NEW), 0.0, 1.0), np.float64)


def vouched_anew(own: Float64, others: Float64, many: Float64, now: Float64) -> Float64:
    """(w,) how new it is that an app relays, by two words about its past; NaN where there is neither.

    ``own``: how clearly this device's app relayed then, which leaves KNOWN however clear it was, as everything that a
    device vouches for itself: an infected one would. ``others``: the same of ``many`` other devices with the app, whose
    word counts as Wilson's lower bound of all of them (detector/features/baseline_deviation.py). A word that is missing
    vouches for nothing.

    >>> own, others = np.array([0.9, 0.9, 0.0, np.nan, np.nan]), np.array([np.nan, 0.9, 0.9, 0.0, np.nan])
    >>> vouched_anew(own, others, np.array([0, 19, 1, 5, 0]), np.full(5, 0.9)).round(2).tolist()
    [0.35, 0.04, 0.73, 1.0, nan]
    """
    mine, theirs = (1 - np.nan_to_num(bridged_anew(past, now), nan=1.0) for past in (own, others))
    word = at_least(np.ones(len(many)), np.maximum(many, 1))
    left = (1 - (1 - KNOWN) * mine) * (1 - word * theirs)
    return np.asarray(np.where(np.isnan(own) & np.isnan(others), np.nan, left), np.float64)
