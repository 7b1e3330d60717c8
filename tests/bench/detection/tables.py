"""The tables of the comparison, in Markdown: detectors side by side, then one detector in detail.

Everything is counted from a Board; each number stands with its n, its interval and the device-days behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lab.scoring.intervals import poisson_rate, wilson
from lab.scoring.ranking import quantile
from tests.bench.detection.board import Board, Incident, Pick, picked
from tests.bench.detection.shapes import (
    JITTERS,
    LONGER,
    NO_PERIOD,
    PERIODS,
    jitter_band,
    limit,
    period_band,
    shapes,
    timing_power,
)
from tests.bench.detection.splits import CALIBRATION, TEST
from tests.bench.detection.sweep import Ranked, average_precision, bootstrap, threshold_within

BUDGET = 0.001  # false alarms a device-day
DRAWS, SEED = 200, 1
NOTHING = "-"


@dataclass(frozen=True)
class Measure:
    """How one detector did on one analytic under one view, at the threshold frozen on the calibration side."""

    detector: str
    threshold: float
    calibrated_on: float  # device-days
    ranked: Ranked
    incidents: Sequence[Incident]
    own: Ranked  # by its own alerts
    precision: float | None
    precision_ci: tuple[float, float] | None


@cache
def measure(board: Board, detector: str, view: str, analytic: str, side: str = TEST) -> Measure | None:
    """None where it never could judge the analytic under the view on both sides."""
    if not all(board.judging(detector, view, analytic, one) for one in (CALIBRATION, side)):
        return None
    _, before = board.ranked(detector, view, analytic, CALIBRATION)
    incidents, ranked = board.ranked(detector, view, analytic, side)
    _, own = board.ranked(detector, view, analytic, side, by="alert")
    rng = np.random.default_rng(SEED)
    return Measure(
        detector,
        threshold_within(before, BUDGET),
        before.device_days,
        ranked,
        incidents,
        own,
        average_precision(ranked),
        bootstrap(ranked, DRAWS, rng),
    )


HEAD = (
    "| detector | AP (95 %) | recall at the frozen threshold (95 %) | false alarms per 1,000 device-days (95 %) "
    "| about guilty apps | by its own alerts: recall | false alarms |\n|---|---|---|---|--:|--:|--:|"
)


def side_by_side(board: Board, detectors: Sequence[str], view: str, analytic: str, side: str = TEST) -> list[str]:
    """The table of all detectors for one analytic under one view, best average precision first."""
    found = [one for name in detectors if (one := measure(board, name, view, analytic, side)) is not None]
    if not found:
        return ["No detector judged this here."]
    found.sort(key=lambda one: -(one.precision or 0.0))
    most = found[0]
    about = f"{len(most.incidents)} incidents, {most.ranked.device_days:,.0f} device-days."
    return [about, "", HEAD, *(_line(one) for one in found)]


def _line(one: Measure) -> str:
    share, alarms = found_share(one.ranked, one.threshold), alarm_rate(one.ranked, one.threshold)
    own = one.own.recall(0.5)
    mine = NOTHING if own is None else f"{own:.2f}"
    beside = int((one.ranked.guilty >= one.threshold).sum())
    cells = (f"`{one.detector}`", _precision(one), share, alarms, beside, mine, one.own.false_alarms(0.5))
    return f"| {' | '.join(map(str, cells))} |"


def _precision(one: Measure) -> str:
    if one.precision is None or one.precision_ci is None:
        return NOTHING
    low, high = one.precision_ci
    return f"{one.precision:.3f} ({low:.3f} to {high:.3f})"


def found_share(ranked: Ranked, threshold: float) -> str:
    """Recall in words: share, hits of n, Wilson's interval."""
    n, hits = len(ranked.found), int((ranked.found >= threshold).sum())
    interval = wilson(hits, n)
    if interval is None:
        return NOTHING
    return f"{hits / n:.2f} ({interval[0]:.2f} to {interval[1]:.2f}), {hits} of {n}"


def alarm_rate(ranked: Ranked, threshold: float) -> str:
    """False alarms per 1,000 device-days with Garwood's interval, and how many there were."""
    alarms = ranked.false_alarms(threshold)
    interval = poisson_rate(alarms, ranked.device_days / 1_000)
    if interval is None:
        return NOTHING
    return f"{alarms / ranked.device_days * 1_000:.2f} ({interval[0]:.2f} to {interval[1]:.2f}), {alarms}"


def by_period(one: Measure) -> list[str]:
    """Recall by period and jitter of AN1793: found of how many, at the frozen threshold."""
    columns = [name for _, name in JITTERS] + ["exponential", "lognormal"]
    lines = [f"| period | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for row in (*(name for _, name in PERIODS), LONGER, NO_PERIOD):
        cells = [_cell(one, lambda it, r=row, c=column: _in(it, r, c)) for column in columns]  # type: ignore[misc]
        if any(cells):
            lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def _in(incident: Incident, period: str, jitter: str) -> bool:
    return period_band(incident.behaviour, incident.settings) == period and jitter_band(incident.settings) == jitter


def _cell(one: Measure, pick: Pick) -> str:
    part = picked(one.incidents, one.ranked, pick)
    n = sum(pick(incident) for incident in one.incidents)
    return f"{int((part.found >= one.threshold).sum())} of {n}" if n else ""


def by_evasion(one: Measure, analytic: str) -> list[str]:
    """Recall by evasion, with contacts in the window and what theory says of what was missed."""
    names = dict.fromkeys(name for it in one.incidents for name in shapes(analytic, it.behaviour, it.settings))
    lines = [
        "| evasion | recall (95 %) | contacts, median | timing alone, mean power | what theory says of the missed |",
        "|---|---|--:|--:|---|",
    ]
    for name in sorted(names):
        lines.append(f"| {name} | {_evaded(one, analytic, name)} |")
    return lines


def _evaded(one: Measure, analytic: str, name: str) -> str:
    def uses(incident: Incident) -> bool:
        return name in shapes(analytic, incident.behaviour, incident.settings)

    mine = [it for it in one.incidents if uses(it)]
    contacts = quantile([it.contacts for it in mine], 0.5) or 0
    power = [known for it in mine if (known := timing_power(it.settings, it.contacts)) is not None]
    timing = f"{math.fsum(power) / len(power):.2f}" if power and analytic == "AN1793" else NOTHING
    missed = [
        it for it, score in zip(one.incidents, one.ranked.found, strict=True) if uses(it) and score < one.threshold
    ]
    said = (limit(it.behaviour, it.settings, it.contacts) for it in missed) if analytic == "AN1793" else ()
    limits = sorted({text for text in said if text})
    share = found_share(picked(one.incidents, one.ranked, uses), one.threshold)
    return f"{share} | {contacts:,.0f} | {timing} | {'; '.join(limits) or NOTHING}"


def by_scenario(one: Measure) -> list[str]:
    """Recall by scenario, and the contacts of its incidents."""
    lines = ["| scenario | found | contacts, median | score, median |", "|---|--:|--:|--:|"]
    for name in sorted({it.scenario for it in one.incidents}):
        of = [k for k, it in enumerate(one.incidents) if it.scenario == name]
        hits = sum(one.ranked.found[k] >= one.threshold for k in of)
        contacts = quantile([one.incidents[k].contacts for k in of], 0.5) or 0
        score = quantile([float(one.ranked.found[k]) for k in of], 0.5) or 0.0
        told = NOTHING if score == -math.inf else f"{score:.2f}"
        lines.append(f"| {name} | {hits} of {len(of)} | {contacts:,.0f} | {told} |")
    return lines


def delays(board: Board, detectors: Sequence[str], view: str, analytic: str) -> list[str]:
    """Time to detect by each detector's own alerts: hours of the detected, and how many never were."""
    lines = ["| detector | detected by own alerts | hours, median | hours, 90 % |", "|---|--:|--:|--:|"]
    for name in detectors:
        if not board.judging(name, view, analytic, TEST):
            continue
        incidents, own = board.ranked(name, view, analytic, TEST, by="alert")
        begun = {(it.case, it.name): it.start for it in incidents}
        hours = sorted(_hours(board, name, view, analytic, begun))
        told = [NOTHING if (at := quantile(hours, share)) is None else f"{at:.1f}" for share in (0.5, 0.9)]
        lines.append(f"| `{name}` | {len(hours)} of {len(own.found)} | {told[0]} | {told[1]} |")
    return lines


def _hours(board: Board, detector: str, view: str, analytic: str, begun: dict[tuple[int, str], int]) -> Iterator[float]:
    for row in board.rows(detector, view, analytic).select(["case", "incident", "alert", "decided_at"]).to_pylist():
        start = begun.get((row["case"], row["incident"]))
        if start is not None and row["alert"]:
            yield max(0, row["decided_at"] - start) / 3.6e9
