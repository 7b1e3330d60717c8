"""Whether an app relays as it did while the baseline was learned, by what it bridges and what it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from detector.analytics.proxy_handshake import Asked
from detector.columns import NULL, Codes
from detector.features.bridged_anew import bridged_anew
from detector.features.fan_out import known_relief, newness
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    from detector.baseline import Baseline

UNKNOWN = float("nan")


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
    return float(np.fmax(_asked_anew(asked, baseline), row.get("anew", UNKNOWN)))


def _asked_anew(asked: Asked | None, baseline: Baseline | None) -> float:
    if asked is None or baseline is None:
        return UNKNOWN
    texts = [asked.device], [asked.package] if asked.package else []
    device, package = (Codes(np.array([0 if text else NULL], np.int64), text) for text in texts)
    return float(bridged_anew(baseline.relayed(device, package).known, np.ones(1))[0])
