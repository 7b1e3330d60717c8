"""What a verdict points at, by name: incidents lost, gained, missed or slower, and alarms that were not there. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.gate.again import command
from lab.gate.grammar import Metric, Threshold
from lab.gate.measures import column_of
from lab.gate.pairs import Pairs
from lab.gate.selection import Card, Row

Pair = tuple[Row, Row]
Alarm = tuple[Any, ...]
ALARM = ("scenario", "seed", "stage", "analytic", "device", "package", "peer")


@dataclass(frozen=True)
class Named:
    """One row: what became of it (``how``), its name, where it was played, and the command that plays it again."""

    how: str  # lost, gained, missed, slower, alarm
    name: str
    scenario: str
    seed: int
    detail: str
    command: str


def flipped(card: Card, pairs: Pairs) -> tuple[list[Named], list[Named]]:
    """The incidents that are no longer detected, and those that are now."""
    lost = [one for one, _ in lost_pairs(pairs)]
    gained = [one for one, _ in gained_pairs(pairs)]
    return [_incident(card, row, "lost") for row in lost], [_incident(card, row, "gained") for row in gained]


def lost_pairs(pairs: Pairs) -> list[Pair]:
    """Pairs detected before and not now, whether the view shows them or not."""
    return [pair for pair in pairs.both if pair[0]["verdict"] != "detected" and pair[1]["verdict"] == "detected"]


def gained_pairs(pairs: Pairs) -> list[Pair]:
    """Pairs detected now and not before."""
    return [pair for pair in pairs.both if pair[0]["verdict"] == "detected" and pair[1]["verdict"] != "detected"]


def missed(card: Card, rows: Iterable[Row], *, unseen: bool) -> list[Named]:
    """The incidents that were not detected; the unseen among them only if they are counted."""
    kinds = {"missed", "unseen"} if unseen else {"missed"}
    return [_incident(card, row, row["verdict"]) for row in rows if row["verdict"] in kinds]


def slow(card: Card, rows: Iterable[Row], metric: Metric, limit: float) -> list[Named]:
    """The incidents whose delay is beyond the limit."""
    column = column_of(metric)
    late = [row for row in rows if row["verdict"] == "detected" and row[column] is not None and row[column] > limit]
    return [_incident(card, row, "slower", f"after {_amount(row[column], metric)}") for row in late]


def slower(card: Card, pairs: Sequence[Pair], metric: Metric) -> list[Named]:
    """The incidents whose delay grew, the most delayed first."""
    column = column_of(metric)
    late = sorted(
        (pair for pair in pairs if pair[0][column] > pair[1][column]), key=lambda p: p[1][column] - p[0][column]
    )
    return [
        _incident(card, row, "slower", f"after {_amount(row[column], metric)}, was {_amount(old[column], metric)}")
        for row, old in late
    ]


def new_alarms(
    card: Card, baseline: Card | None, threshold: Threshold, cell: tuple[str, str], pairs: Pairs | None = None
) -> list[Named]:
    """The false alarms of that cell that the baseline has not, all of them without one.

    Where the scorecard lists only the highest scores, trials that have more than before are named without an app.
    """
    now = _listed(card, threshold, cell)
    before = Counter(_alarm(row) for row in _listed(baseline, threshold, cell)) if baseline else Counter[Alarm]()
    found = []
    for row in now:
        if before[_alarm(row)]:
            before[_alarm(row)] -= 1
            continue
        found.append(_named_alarm(card, row))
    said = {(one.scenario, one.seed) for one in found}
    for row, old in pairs.both if pairs else ():
        if row["false_alarms"] > old["false_alarms"] and (row["scenario"], row["seed"]) not in said:
            more = f"{row['false_alarms']} alarms, were {old['false_alarms']}"
            again = command(row, card.content)
            found.append(Named("alarm", f"{row['analytic']} not listed", row["scenario"], row["seed"], more, again))
    return found


def _listed(card: Card, threshold: Threshold, cell: tuple[str, str]) -> list[Row]:
    places = {(row["scenario"], row["seed"], row["stage"], row["analytic"]) for row in card.cost(threshold, cell)}
    rows = [row for row in card.content["false_alarms"] if (row["detector"], row["view"]) == cell]
    return [row for row in rows if (row["scenario"], row["seed"], row["stage"], row["analytic"]) in places]


def _alarm(row: Row) -> Alarm:
    return tuple(row[name] for name in ALARM)


def _named_alarm(card: Card, row: Row) -> Named:
    who = "/".join(row[name] or "unknown" for name in ("device", "package"))
    peer = f" to {row['peer']}" if row["peer"] else ""
    detail = f"{row['analytic']}, {row['kind']}, score {row['score']:.2f}"
    return Named("alarm", who + peer, row["scenario"], row["seed"], detail, command(row, card.content))


def _incident(card: Card, row: Row, how: str, detail: str = "") -> Named:
    score = "nothing was said of it" if row["score"] is None else f"best score {row['score']:.2f}"
    again = command(row, card.content)
    return Named(how, row["incident"], row["scenario"], row["seed"], detail or f"{row['analytic']}, {score}", again)


def _amount(value: float, metric: Metric) -> str:
    return f"{value:.12g}{' s' if metric.unit else ''}"
