"""A scorecard against a baseline in one cell: whether anything was lost, and whether that may be chance. Pure.

``no-loss`` compares the same recordings: there every difference is the detector's, and one is enough. ``no-regression``
asks whether what is worse is more than chance: exact McNemar for incidents, a randomisation of pairs for false alarms
and delays, whose level holds for any number of pairs. The bootstrap of pairs, which is printed, is an interval only:
its level holds for many pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.gate.grammar import Metric, Threshold
from lab.gate.measures import Measured, column_of, measured, watched
from lab.gate.named import Named, flipped, gained_pairs, lost_pairs, new_alarms, slower
from lab.gate.pairs import Pairs, paired
from lab.gate.selection import Card
from lab.gate.settings import ALPHA
from lab.gate.significance import Statistic, mcnemar, nearest_rank, paired_bootstrap, swapped, total

Cell = tuple[str, str]


@dataclass(frozen=True)
class Compared:
    """Both values, their difference over the pairs with its interval, the chance of it, and who is to be named."""

    measured: Measured | None = None
    baseline: Measured | None = None
    difference: float | None = None
    difference_ci: tuple[float, float] | None = None
    p: float | None = None
    named: tuple[Named, ...] = ()
    gained: tuple[Named, ...] = ()
    notes: tuple[str, ...] = ()
    broken: bool = False
    fault: str = ""


def no_regression(card: Card, baseline: Card, threshold: Threshold, cell: Cell) -> Compared:
    """The comparison with the chance of its being so bad though nothing changed; whether it breaks is not said here."""
    return _compared(card, baseline, threshold, cell)[0]


def no_loss(card: Card, baseline: Card, threshold: Threshold, cell: Cell) -> Compared:
    """The comparison of the same recordings: broken if anything is lost."""
    if threshold.metric.source == "cell":
        return _whole(card, baseline, threshold, cell)
    found, pairs = _compared(card, baseline, threshold, cell)
    if found.fault:
        return found
    if not pairs.same:
        return replace(
            found, fault="its recordings are not those of the baseline; use no-regression, or the same seeds"
        )
    source = threshold.metric.source
    if source == "incidents":
        broken = bool(lost_pairs(pairs))
    elif source == "alarms":
        broken = any(row["false_alarms"] > old["false_alarms"] for row, old in pairs.both)
    else:
        broken = (found.difference or 0.0) > 0
    return replace(found, broken=broken)


def _compared(card: Card, baseline: Card, threshold: Threshold, cell: Cell) -> tuple[Compared, Pairs]:
    rows = [one.cost(threshold, cell) if _costs(threshold) else one.met(threshold, cell) for one in (card, baseline)]
    pairs = paired(card, baseline, *rows)
    if threshold.metric.name == "recall":
        shown = [pair for pair in pairs.both if {row["verdict"] for row in pair} != {"unseen"}]
        pairs = replace(pairs, both=tuple(shown))
    values = measured(card, threshold, cell), measured(baseline, threshold, cell)
    found = Compared(*values, notes=_notes(values[0], pairs))
    fault = "; ".join(pairs.faults) or ("" if pairs.both else "nothing of it is in both scorecards")
    if fault:
        return replace(found, fault=fault), pairs
    if _costs(threshold):
        worse = new_alarms(card, baseline, threshold, cell, pairs)
        return _alarms(threshold.metric, pairs, found, worse), pairs
    if threshold.metric.source == "delays":
        return _delays(card, threshold.metric, pairs, found), pairs
    return _recall(card, pairs, found), pairs


def _costs(threshold: Threshold) -> bool:
    return threshold.metric.source == "alarms"


def _recall(card: Card, pairs: Pairs, found: Compared) -> Compared:
    lost, gained = flipped(card, pairs)
    values = [[float(row["verdict"] == "detected") for row in side] for side in zip(*pairs.both, strict=True)]
    chance = mcnemar(len(lost_pairs(pairs)), len(gained_pairs(pairs)))
    tested = _tested(found, values, total(len(pairs.both)))
    had = sum(old["verdict"] == "detected" for _, old in pairs.both)
    if mcnemar(had, 0) > ALPHA:
        few = f"{had} were detected before: the loss of all would be chance at alpha {ALPHA}; run more seeds"
        tested = replace(tested, notes=(*tested.notes, few))
    return replace(tested, p=chance, named=tuple(lost), gained=tuple(gained))


def _alarms(metric: Metric, pairs: Pairs, found: Compared, worse: Sequence[Named]) -> Compared:
    days = watched([row for row, _ in pairs.both]) if metric.name != "false_alarms" else 1.0
    if days <= 0:
        return replace(found, fault="no device-day was judged in both scorecards")
    units: dict[tuple[object, ...], list[float]] = {}  # both analytics of a trial are one unit: they share its chances
    for row, old in pairs.both:
        unit = units.setdefault((row["scenario"], row["seed"], row["stage"]), [0.0, 0.0])
        unit[0] += row["false_alarms"]
        unit[1] += old["false_alarms"]
    now, before = ([unit[side] for unit in units.values()] for side in (0, 1))
    tested = _tested(found, (now, before), total(days))
    return replace(tested, p=swapped(now, before, total(days)), named=tuple(worse))


def _delays(card: Card, metric: Metric, pairs: Pairs, found: Compared) -> Compared:
    column = column_of(metric)
    both = [
        pair for pair in pairs.both if all(row["verdict"] == "detected" and row[column] is not None for row in pair)
    ]
    if not both:
        return replace(found, fault="nothing of it was detected in both, so no delay can be compared")
    assert metric.quantile is not None
    statistic = nearest_rank(metric.quantile)
    now, before = ([float(pair[side][column]) for pair in both] for side in (0, 1))
    late = [] if pairs.other_seeds else slower(card, both, metric)
    tested = _tested(found, (now, before), statistic)
    return replace(tested, p=swapped(now, before, statistic), named=tuple(late))


def _tested(found: Compared, values: Sequence[Sequence[float]], statistic: Statistic) -> Compared:
    """With the difference of a statistic between now and before, and its interval."""
    import numpy as np

    now, before = (float(statistic(np.array([side]))[0]) for side in values)
    bounds = paired_bootstrap(values[0], values[1], statistic)
    return replace(found, difference=now - before, difference_ci=bounds)


def _whole(card: Card, baseline: Card, threshold: Threshold, cell: Cell) -> Compared:
    """A number of the whole suite, which is lower than before or not; there is nobody to name but who was lost."""
    values = measured(card, threshold, cell), measured(baseline, threshold, cell)
    found = Compared(*values)
    pairs = paired(card, baseline, *(one.met(replace(threshold, filters=()), cell) for one in (card, baseline)))
    costs = paired(card, baseline, *(one.cost(replace(threshold, filters=()), cell) for one in (card, baseline)))
    faults = dict.fromkeys((*pairs.faults, *costs.faults))
    if faults or not (pairs.same and costs.same and pairs.both) or pairs.new or costs.new:
        return replace(found, fault="; ".join(faults) or "its recordings are not those of the baseline")
    if values[0].value is None or values[1].value is None:
        return replace(found, fault=f"{threshold.metric.name} was not measured in both scorecards")
    fallen = values[0].value - values[1].value
    lost, gained = flipped(card, pairs)
    named = [*lost, *new_alarms(card, baseline, threshold, cell, costs)]
    return replace(found, difference=fallen, named=tuple(named), gained=tuple(gained), broken=fallen < 0)


def _notes(now: Measured, pairs: Pairs) -> tuple[str, ...]:
    said = [now.note] if now.note else []
    if pairs.other_seeds:
        said.append("the baseline has other seeds: pairs are incidents of one kind, not the same incident")
    elif pairs.new:
        said.append(f"{pairs.new} rows are not in the baseline and were not compared")
    return tuple(said)
