"""Whether an app relays as it did while the baseline was learned, by what it bridges and what it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from detector.analytics.proxy_handshake import Asked
from detector.columns import NULL, Codes
from detector.features.bridged_anew import bridged_anew, vouched_anew
from detector.features.fan_out import known_relief, newness
from detector.learned.relayed import Habit, unheard
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    from detector.baseline import Baseline

UNKNOWN = float("nan")
HALF = 0.5  # from there on an app has turned to relaying, and no role explains it


def request_score(asked: Asked, new: float, limits: RelayThresholds) -> float:
    """What a request to relay scores by itself, in an app of which it is so new that it relays (NaN: unknown)."""
    said = limits.handshake_score if asked.granted else limits.unanswered_score
    return said * float(known_relief(np.array([new]), limits.known_floor)[0])


def how_new(asked: Asked | None, baseline: Baseline | None, row: Mapping[str, float]) -> float:
    """How new it is that the app relays, 0..1, or where that is unknown, how new the places are where it goes."""
    found = anew(asked, baseline, row)
    return float(newness(np.array([row.get("novelty", UNKNOWN)]))[0]) if np.isnan(found) else found


def anew(asked: Asked | None, baseline: Baseline | None, row: Mapping[str, float]) -> float:
    """How new it is that the app relays, of what it bridges and what it is asked the newer; NaN if unknown."""
    past = _past(asked, baseline)
    told = vouched_anew(past.here, past.others, past.devices, np.ones(1))
    return float(np.fmax(told[0], row.get("anew", UNKNOWN)))


def turned(asked: Asked | None, baseline: Baseline | None, row: Mapping[str, float]) -> bool:
    """Whether the app did something else while the baseline was learned, here and elsewhere: what no role covers.

    An app that was silent, or that nobody had, did not turn to anything: its role tells what it is for.
    """
    told = bridged_anew(_past(asked, baseline).known, np.ones(1))
    return bool(np.fmax(told[0], row.get("turned", UNKNOWN)) >= HALF)


def _past(asked: Asked | None, baseline: Baseline | None) -> Habit:
    if asked is None or baseline is None:
        return unheard(1)
    texts = [asked.device], [asked.package] if asked.package else []
    device, package = (Codes(np.array([0 if text else NULL], np.int64), text) for text in texts)
    return baseline.relayed(device, package)
