"""The scores of AN1793: pure functions of the columns, two views of one question, and the larger of both.

Both hold the evidence of shape against the gate, the deviation from what is normal here, so that neither a regular
timer to a known service nor a new destination that a person visits is enough. *Product* multiplies gate, evidence and a
weighted mean of factors; *points* is a logistic sum of gate x factor. No weight is negative, so more of a factor never
lowers a score. Each is stretched so that its own threshold becomes SHARED; they fail on different evasions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.features.baseline_deviation import KNOWN
from detector.features.evidence import evidence
from detector.grouped import Float64
from detector.thresholds import PollingThresholds

Columns = Mapping[str, Float64]
TIMING = ("interval_regularity", "gap_floor", "mode_share")
STATE = ("background_use", "background_share", "idle_share", "lock_independence", "lock_preference")
#: Anomalies at least that strong cancel what a category explains.
ODD = 0.5
ODDITIES = ("name_anomaly", "dns_tunnel", "protocol_role", "task_mixture")
#: What the own threshold of either score becomes, so that the two can be compared.
SHARED = 0.6
#: The largest gate without a learned baseline: whether a destination is new cannot be told (baseline_deviation).
SURVEYED = 0.675
#: Taken off the gate of a new host by its domain being perfectly usual.
DOMAIN_RELIEF = 0.35
#: Other devices before their habits weigh half, where nothing was learned (features.prevalence has the same).
FLEET_PRIOR = 20.0


@dataclass(frozen=True)
class Scored:
    """(g,) the score and what it is made of."""

    score: Float64
    product: Float64
    points: Float64
    gate: Float64  # as it was applied
    evidence: Float64
    shape: Float64  # weighted mean of the factors
    odd: Float64  # how far anomalies lift the shape
    relief: Float64  # share taken off for the app's role


def scores(columns: Columns, limits: PollingThresholds) -> Float64:
    """(g,) the score of each group, 0..1; alerts from ``limits.threshold`` on. Columns as ``measured`` gives them."""
    return scored(columns, limits).score


def scored(columns: Columns, limits: PollingThresholds) -> Scored:
    """The score of each group with its parts."""
    gate, learned = applied_gate(columns, limits), columns["baseline"] > 0
    shape = weighted_mean(columns, effective_weights(columns, limits.product_weights))
    odd = lift(columns, limits.anomaly_lift)
    relief = _relief(columns, limits)
    seen = evidence(columns["contacts"], limits.evidence_scale)
    gated = gate * seen * (1 - relief)
    product = gated * (1 - (1 - shape) * (1 - odd))
    points = _points(columns, gated, limits)
    kinds = ((product, limits.product_threshold), (points, limits.points_threshold))
    parts = [stretched(value, np.where(learned, own["baseline"], own["no_baseline"]), SHARED) for value, own in kinds]
    return Scored(np.maximum(*parts), product, points, gate, seen, shape, odd, relief)


def applied_gate(columns: Columns, limits: PollingThresholds) -> Float64:
    """(g,) the gate with a learned baseline; without, as much of it as the fleet at hand can vouch for.

    n other devices vouch with n / (n + 20), against the best gate they could give; the rest is 1, less what other apps
    and devices that use the destination take off. So alone, a phone is judged by shape.

    >>> from detector.thresholds import load_thresholds
    >>> one = {"gate": 0.3375, "fleet": 0.0, "prevalence": np.nan, "baseline": 0.0}
    >>> one |= dict.fromkeys(("elsewhere", "surge", "own_places", "succession"), np.nan) | {"known_domain": 0.0}
    >>> applied_gate({name: np.array([value]) for name, value in one.items()}, load_thresholds().polling).tolist()
    [1.0]
    """
    trust = columns["fleet"] / (columns["fleet"] + FLEET_PRIOR)
    alone = 1 - limits.prevalence_relief * np.nan_to_num(columns["prevalence"])
    surveyed = trust * np.minimum(columns["gate"] / SURVEYED, 1.0) + (1 - trust) * alone
    return np.where(columns["baseline"] > 0, deviating(columns), surveyed)


def deviating(columns: Columns) -> Float64:
    """(g,) the gate of a learned baseline, held against the app's own past.

    A known destination vouches for its pace: where the rate surges, it counts as far as the destination is rare
    elsewhere. An app whose users each have destinations of their own makes one more of its usual pace less of an event,
    and a destination that took over from one that fell silent is a vendor that moved. A new host of a domain that the
    app knows is less of an event than a new domain. What is unknown changes nothing.

    >>> past = {"gate": [1.0, 0.1, 1.0, 1.0], "elsewhere": [1.0, 0.9, 1.0, 1.0], "surge": [np.nan, 1.0, 1.0, 1.0],
    ...     "own_places": [np.nan, 1.0, 0.0, 1.0], "succession": [np.nan, 0.0, 0.0, 1.0], "known_domain": [0.0] * 4}
    >>> deviating({name: np.array(value) for name, value in past.items()}).round(3).tolist()
    [1.0, 0.9, 0.35, 0.35]
    """
    gate = np.maximum(columns["gate"], np.nan_to_num(columns["surge"] * columns["elsewhere"]))
    wont = np.nan_to_num(columns["own_places"], nan=1.0)
    apart = 1 - np.nan_to_num(columns["succession"])
    strange = 1 - DOMAIN_RELIEF * columns["known_domain"]
    return np.asarray(gate * strange * (KNOWN + (1 - KNOWN) * wont) * (KNOWN + (1 - KNOWN) * apart))


def covered(columns: Columns, limits: PollingThresholds) -> npt.NDArray[np.bool_]:
    """(g,) whether an approval of the app covers what it does: what was known of it, and what a roll-out brings.

    Who approves of an app approves of what it does, not of what it turns to later. Without a learned baseline nobody
    can tell the two apart. What the app does on most devices at once the enterprise brought about: so it can be fooled
    by an approved app that is turned on all of them.

    >>> from detector.thresholds import load_thresholds
    >>> told = {"baseline": [0.0, 1, 1, 1], "gate": [1.0, 0.1, 1, 1], "adoption": [0.0, 0, 0.7, 0.1]}
    >>> told |= dict.fromkeys(("elsewhere", "surge", "own_places", "succession"), [np.nan] * 4)
    >>> told["known_domain"] = [0] * 4
    >>> covered({name: np.array(value) for name, value in told.items()}, load_thresholds().polling).tolist()
    [True, True, True, False]
    """
    known = deviating(columns) < limits.sanctioned_gate
    brought = np.nan_to_num(columns["adoption"]) >= limits.sanctioned_adoption
    return np.asarray((columns["baseline"] == 0) | known | brought)


def weighted_mean(columns: Columns, weights: Mapping[str, Float64]) -> Float64:
    """(g,) mean of the known factors by their weights, each (g,); 0 if nothing is known.

    >>> one = np.array([1.0])
    >>> weighted_mean({"a": one, "b": one * np.nan, "c": one / 2}, {"a": one, "b": one * 7, "c": one}).tolist()
    [0.75]
    """
    known = {name: np.where(np.isnan(columns[name]), 0.0, weight) for name, weight in weights.items()}
    total = np.sum(list(known.values()), axis=0)
    mean = np.sum([weight * np.nan_to_num(columns[name]) for name, weight in known.items()], axis=0)
    return np.asarray(np.divide(mean, total, out=np.zeros(len(mean)), where=total > 0))


def effective_weights(columns: Columns, weights: Mapping[str, float]) -> dict[str, Float64]:
    """(g,) the weights, with those of unknown state factors handed to the timing factors.

    Both answer the same question, whether a machine or a person drives the contacts; without device state only
    timing can, and equal sizes spread over the day must not alert by themselves (any heartbeat has them).

    >>> known = {name: np.ones(1) for name in TIMING} | {"background_use": np.array([np.nan])}
    >>> found = effective_weights(known, dict(zip(known, (2.0, 1.0, 1.0, 4.0))))
    >>> {name: weight.tolist() for name, weight in found.items()}
    {'interval_regularity': [4.0], 'gap_floor': [2.0], 'mode_share': [2.0], 'background_use': [0.0]}
    """
    state = [name for name in STATE if name in weights]
    nothing = np.zeros(len(columns[TIMING[0]]))
    lost = sum((weights[name] * np.isnan(columns[name]) for name in state), nothing)
    timing = sum((weights.get(name, 0.0) * ~np.isnan(columns[name]) for name in TIMING), nothing)
    able = timing > 0
    grown = 1 + np.where(able, lost, 0.0) / np.where(able, timing, 1.0)
    found = {}
    for name, weight in weights.items():
        factor = np.ones(len(nothing))
        if name in TIMING:
            factor = grown
        elif name in state:
            factor = np.where(able & np.isnan(columns[name]), 0.0, 1.0)
        found[name] = weight * factor
    return found


def lift(columns: Columns, strength: Mapping[str, float]) -> Float64:
    """(g,) the strongest anomaly, each by what it may lift; unknown ones lift nothing.

    >>> lift({"a": np.array([np.nan, 0.5]), "b": np.array([1.0, 0.1])}, {"a": 0.4, "b": 0.3}).tolist()
    [0.3, 0.2]
    """
    return np.asarray(np.max([strong * np.nan_to_num(columns[name]) for name, strong in strength.items()], axis=0))


def _relief(columns: Columns, limits: PollingThresholds) -> Float64:
    """(g,) share taken off where role or category explain background contacts and nothing else is odd."""
    odd = np.max([np.nan_to_num(columns[name]) for name in ODDITIES], axis=0)
    explained = (np.nan_to_num(columns["explained"]) > 0) & (odd < ODD)
    own = np.where(columns["baseline"] > 0, limits.role_relief["baseline"], limits.role_relief["no_baseline"])
    return np.where(explained, own, 0.0)


def _points(columns: Columns, gate: Float64, limits: PollingThresholds) -> Float64:
    """(g,) logistic of the sum of weight x gate x factor, less the resistance.

    What is unknown counts half of what the known factors reach in the mean; of an unknown anomaly nothing is added.
    """
    weights = {name: weight for name, weight in limits.points_weights.items() if name not in limits.anomaly_lift}
    known = weighted_mean(columns, {name: np.full(len(gate), weight) for name, weight in weights.items()})
    total = np.zeros(len(gate))
    for name, weight in limits.points_weights.items():
        missing = np.zeros(len(gate)) if name in limits.anomaly_lift else known / 2
        total += weight * np.where(np.isnan(columns[name]), missing, columns[name])
    return 1 / (1 + np.exp(limits.points_resistance - gate * total))


def stretched(value: Float64, own: Float64, shared: float) -> Float64:
    """(g,) numbers in 0..1 mapped so that ``own`` becomes ``shared``, straight from 0 to it and from it to 1.

    >>> stretched(np.array([0.0, 0.1, 0.2, 0.6, 1.0]), np.full(5, 0.2), 0.6).round(2).tolist()
    [0.0, 0.3, 0.6, 0.8, 1.0]
    """
    below = shared * value / own
    above = shared + (1 - shared) * (value - own) / np.where(own < 1, 1 - own, 1.0)
    return np.where(
        value == own, shared, np.where(value < own, np.minimum(below, np.nextafter(shared, 0)), np.minimum(above, 1.0))
    )
