"""Weights of AN1702's bridge from the windows of the calibration side: logistic on the logarithms of its factors.

The bridge is a weighted geometric mean, so that the logarithm of it is a weighted sum: the fitted weights, never
negative, are scaled to sum to 1. They are taken only if apps are told apart clearly better than by those there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.analytics.relay_score import scores, timing
from detector.thresholds import RelayThresholds
from tests.bench.detection.fit import fitted
from tests.bench.detection.measured import FACTOR
from tests.bench.detection.sweep import NEVER, Ranked, average_precision, best_of

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
TINY = 1e-6
PENALTY = 1e-2
CLEARLY = 0.01  # by so much average precision must rise, or the weights stay as they are


@dataclass(frozen=True)
class Windows:
    """w windows: factors, the number of the incident (-1: none), and of the (phone, app)."""

    columns: Mapping[str, Float64]
    incident: Int64
    app: Int64


def windows_of(
    table: pa.Table, incidents: Mapping[tuple[str, int, str], int], wanted: Callable[[int, str, str | None], bool]
) -> Windows:
    """The windows of a table of many cases that are ``wanted``, which is told seed, scenario and package."""
    names = ("scenario", "seed", "device", "package", "incident")
    rows = [*zip(*(table[name].to_pylist() for name in names), strict=True)]
    beside = table["guilty"].to_numpy() & table["incident"].is_null().to_numpy()
    keep = np.array([wanted(row[1], row[0], row[3]) for row in rows], np.bool_) & ~beside
    kept = table.filter(pa.array(keep))
    mine = [row for row, one in zip(rows, keep.tolist(), strict=True) if one]
    apps = {one: number for number, one in enumerate(dict.fromkeys(row[:4] for row in mine))}
    columns = {
        name.removeprefix(FACTOR): kept[name].to_numpy() for name in kept.column_names if name.startswith(FACTOR)
    }
    known = [incidents.get((row[0], row[1], row[4]), -1) if row[4] else -1 for row in mine]
    return Windows(columns, np.array(known, np.int64), np.array([apps[row[:4]] for row in mine], np.int64))


def bridged(windows: Windows, limits: RelayThresholds) -> tuple[RelayThresholds, float, float]:
    """(the limits with the better weights of the bridge, average precision before, and with the fitted ones)."""
    named = {**windows.columns, "timing": timing(windows.columns)}
    judged = windows.columns["streams"] >= limits.fewest_streams
    logs = np.column_stack(
        [np.log(np.maximum(np.nan_to_num(named[name], nan=1.0), TINY)) for name in limits.bridge_weights]
    )
    found = fitted(logs[judged], windows.incident[judged], penalty=PENALTY)
    before = precision(windows, limits)
    total = float(found.weights.sum())
    if not total:
        return limits, before, before
    weights = [round(float(one) / total, 3) for one in found.weights]
    made = replace(limits, bridge_weights=dict(zip(limits.bridge_weights, weights, strict=True)))
    after = precision(windows, made)
    return (made if after > before + CLEARLY else limits), before, after


def precision(windows: Windows, limits: RelayThresholds) -> float:
    """Average precision of apps by their best window; 0 where there is nothing to find."""
    score = scores(windows.columns, limits)
    guilty = windows.incident >= 0
    _, found = best_of(windows.incident[guilty], score[guilty])
    _, alarms = best_of(windows.app[~guilty], score[~guilty])
    nobody = (np.zeros(len(found), np.int64), np.zeros(len(alarms), np.int64))
    heard = np.where(alarms > 0, alarms, NEVER)
    return average_precision(Ranked(found, nobody[0], heard, nobody[1], 1.0)) or 0.0
