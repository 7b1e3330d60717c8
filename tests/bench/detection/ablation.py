"""What each factor of AN1793 is worth: without it, thresholds swept anew on the calibration side, judged on the test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.thresholds import PollingThresholds
from tests.bench.detection import tuning
from tests.bench.detection.groups import Groups

GATE = "gate"
PAST = ("surge", "own_places", "succession")  # what an app's own past says: parts of the gate


@dataclass(frozen=True)
class Side:
    """The groups of one side, the numbers of its incidents, and its device-days."""

    groups: Groups
    incidents: Sequence[int]
    device_days: float


def table(calibration: Side, test: Side, limits: PollingThresholds, budget: float) -> list[str]:
    """One row for all factors, one for each that is missing, and one for the gate: worst loss first."""
    whole = _row("", calibration, test, limits, budget)
    rows = [(name, _row(name, calibration, test, limits, budget)) for name in factors(limits)]
    rows.sort(key=lambda row: (row[1].found, row[0]))
    lines = ["| without | found | of | change | false alarms | per 1,000 device-days |", "|---|--:|--:|--:|--:|--:|"]
    lines.append(_line("(all there)", whole, whole))
    return lines + [_line(f"`{name}`", row, whole) for name, row in rows]


def factors(limits: PollingThresholds) -> Iterator[str]:
    """Every factor with a weight in any part of the score, and the gate."""
    kinds = (limits.points_weights, limits.product_weights, limits.anomaly_lift)
    yield from sorted({name for weights in kinds for name, weight in weights.items() if weight > 0})
    yield GATE
    yield from PAST


def _row(name: str, calibration: Side, test: Side, limits: PollingThresholds, budget: float) -> tuning.Told:
    without = limits if name in {"", GATE, *PAST} else tuning.removed(limits, name)
    before, after = (_ungated(one.groups, name) for one in (calibration, test))
    allowed = math.floor(budget * calibration.device_days + 1e-9)
    made = tuning.thresholds(before, calibration.incidents, without, allowed, "baseline")
    return tuning.told(after, test.incidents, made, test.device_days)


def _ungated(groups: Groups, name: str) -> Groups:
    """The groups with a part of the gate unknown, or all of it: 1 for everybody."""
    unknown = np.full(len(groups), np.nan)
    if name == GATE:
        ones = {GATE: np.ones(len(groups)), **dict.fromkeys(PAST, unknown)}
        return replace(groups, columns={**groups.columns, **ones})
    return replace(groups, columns={**groups.columns, name: unknown}) if name in PAST else groups


def _line(name: str, row: tuning.Told, whole: tuning.Told) -> str:
    rate = 1_000 * row.alarms / row.device_days if row.device_days else math.nan
    change = (row.found - whole.found) / max(1, row.of)
    return f"| {name} | {row.found} | {row.of} | {change:+.3f} | {row.alarms} | {rate:.2f} |"
