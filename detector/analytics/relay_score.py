"""From the columns of windows to scores of AN1702: pure, non-negative, and made of parts a person can check.

score = seen * bridge * suspicion * unattended * novelty * sustained, each 0..1:

- seen: 1 - exp(-nats / scale) of the improbability of chance; without moments, of the number of streams.
- bridge: weighted geometric mean of timing (the better of lag correlation and pairing lift), byte conservation, size
  agreement and bounded difference. A geometric mean since each alone is common: push has timing without conservation,
  calls conserve bytes without timing, torrents fan out without either.
- suspicion: weighted mean of fan-out, client stacks, set-up, concurrency, and a constant.
- unattended (if ForegroundStateRequired), novelty: from a floor, where nothing is hidden or new, to 1. New is that the
  app relays, if it is known whether it did in the learning period; else where it goes.

What is unknown is no zero: of the bridge it gives its weight to the others, of suspicion and use of the device it
counts half, and without a baseline everything counts as new (severity pays for that). A way that
dialled out and reached fewer unrelated destinations than required scores 0 unless set-up was seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detector.features.fan_out import known_relief, newness
from detector.grouped import Float64
from detector.thresholds import RelayThresholds

Columns = Mapping[str, Float64]
TINY = 1e-6
LEAST = 0.01  # of a factor of the geometric mean, so that no single one of little weight can silence the others
HALF = 0.5


def scores(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) the score of each window, 0..1."""
    found = seen(columns, limits) * bridge(columns, limits) * suspicion(columns, limits)
    if limits.foreground_state_required:
        found = found * _floored(unexplained(columns), limits.attended_floor)
    found = found * known_relief(newly(columns), limits.known_floor) * columns["sustained"]
    few = (columns["destinations"] < limits.fewest_destinations) & ~(columns["setup_evidence"] > 0)
    return np.where(few | (columns["streams"] < limits.fewest_streams), 0.0, found)


def bridging(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) what of the score is the shape of relaying alone, whoever relays, whereto and when."""
    found = seen(columns, limits) * bridge(columns, limits) * columns["sustained"]
    return np.where(columns["streams"] < limits.fewest_streams, 0.0, found)


def unexplained(columns: Columns) -> Float64:
    """(w,) how little somebody who uses the app explains that it relays; NaN unknown.

    Half of it remains where the app is known not to have relayed before, for it was used before as well.
    """
    used = columns["unattended_share"]
    return np.where(np.isnan(used), np.nan, np.maximum(used, HALF * np.nan_to_num(columns["anew"])))


def newly(columns: Columns) -> Float64:
    """(w,) how new to the learning period it is that the app relays; NaN unknown.

    Where it is known how the app relayed then, nothing else is asked; else where it goes.
    """
    return np.where(np.isnan(columns["anew"]), newness(columns["novelty"]), columns["anew"])


def highest(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) what ``scores`` never exceeds if these are the columns, or the most they may be.

    Asked are streams, nats (NaN: without moments), byte_conservation and sustained; whatever else may be anything.
    """
    one = np.ones_like(columns["streams"])
    free = dict.fromkeys(("bridge_correlation", "pairing_lift", *limits.bridge_weights), one)
    most = {**free, "expected_by_chance": np.zeros_like(one), **columns}
    found = seen(columns, limits) * bridge(most, limits) * columns["sustained"]
    return np.where(columns["streams"] < limits.fewest_streams, 0.0, found)


def seen(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) how much was seen at all."""
    timed = 1 - np.exp(-columns["nats"] / limits.evidence_scale)
    return np.where(np.isnan(columns["nats"]), 1 - np.exp(-columns["streams"] / limits.streams_scale), timed)


def timing(columns: Columns) -> Float64:
    """(w,) the better of lag correlation and pairing lift; NaN if neither is known.

    As far as streams would have been in step by chance, the lift is not trusted and lag correlation stands alone.
    """
    correlated = columns["bridge_correlation"]
    chance = np.clip(columns["expected_by_chance"] / np.maximum(columns["streams"], 1.0), 0.0, 1.0)
    better = np.fmax(correlated, columns["pairing_lift"])
    return np.where(np.isnan(correlated), better, better - np.nan_to_num(chance) * (better - correlated))


def bridge(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) weighted geometric mean of what makes a bridge, of the factors that are known."""
    named = {**columns, "timing": timing(columns)}
    logs = {name: np.log(np.maximum(named[name], LEAST)) for name in limits.bridge_weights}
    total = sum(weight * np.nan_to_num(logs[name], nan=0.0) for name, weight in limits.bridge_weights.items())
    known = sum(weight * ~np.isnan(logs[name]) for name, weight in limits.bridge_weights.items())
    return np.asarray(np.where(known > 0, np.exp(total / np.maximum(known, TINY)), 0.0), np.float64)


def suspicion(columns: Columns, limits: RelayThresholds) -> Float64:
    """(w,) weighted mean of what makes a bridge suspicious; what is unknown counts half."""
    named = {**columns, "base": np.ones_like(columns["streams"])}
    weights = limits.suspicion_weights
    total = sum(weight * np.nan_to_num(named[name], nan=HALF) for name, weight in weights.items())
    return np.asarray(total / max(sum(weights.values()), TINY), np.float64)


def _floored(value: Float64, floor: float) -> Float64:
    return floor + (1 - floor) * np.nan_to_num(value, nan=HALF)
