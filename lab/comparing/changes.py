"""What changed from one scorecard to another, cell by cell, and whether it may be chance: both ways, unlike a gate.

Pure. Incidents by exact McNemar, false alarms and delays by a randomisation of pairs, two-sided; chances are corrected
for their number after Holm. Average precision and recall at the budget have no pairs: they are told, not tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from lab.comparing.overlap import Common
from lab.gate.compare import Compared, no_regression
from lab.gate.grammar import SUBJECTS, Threshold, parse
from lab.gate.measures import Measured, measured
from lab.gate.named import Named
from lab.gate.significance import holm

ALPHA = 0.05
TESTED = ("recall", "false_alarms_per_device_day", "time_to_detect_p50")
TOLD = ("pr_auc", "recall_at_budget")
NAMES = {analytic: subject for subject, analytic in SUBJECTS.items() if subject != analytic}
Cell = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One metric of one analytic, detector and view: both values, the difference over pairs, and its chance.

    ``p`` is two-sided, None where nothing was tested; ``better`` is None where nothing differs; ``reason`` says why
    there is nothing to compare.
    """

    detector: str
    view: str
    analytic: str
    metric: str
    before: Measured
    now: Measured
    difference: float | None = None
    difference_ci: tuple[float, float] | None = None
    p: float | None = None
    significant: bool = False
    better: bool | None = None
    reason: str = ""
    lost: tuple[Named, ...] = ()  # or alarms that are new, incidents that take longer
    gained: tuple[Named, ...] = ()  # or alarms that are gone, incidents that take less

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        named = {"lost": [asdict(one) for one in self.lost], "gained": [asdict(one) for one in self.gained]}
        values = {"before": self.before.to_json(), "now": self.now.to_json()}
        bounds = list(self.difference_ci) if self.difference_ci else None
        return {**vars(self), **values, **named, "difference_ci": bounds}


def changes(both: Common, alpha: float = ALPHA) -> list[Change]:
    """Every change, in the order of cells, analytics and metrics; analytics that neither judged are left out."""
    found = [one for cell in both.cells for one in _of_cell(both, cell)]
    tests = [place for place, one in enumerate(found) if one.p is not None]
    rejected = holm([found[place].p or 0.0 for place in tests], alpha)
    for place, sure in zip(tests, rejected, strict=True):
        found[place] = replace(found[place], significant=sure)
    return found


def _of_cell(both: Common, cell: Cell) -> Iterator[Change]:
    for analytic, subject in NAMES.items():
        if not any(row["analytic"] == analytic for row in both.now.judgements.get(cell, ())):
            continue
        for metric in TESTED:
            yield _tested(both, parse(f"{subject}.{metric} no-regression"), cell, analytic)
        for metric in TOLD if both.whole else ():
            yield _told(both, parse(f"{subject}.{metric} no-loss"), cell, analytic)


def _tested(both: Common, threshold: Threshold, cell: Cell, analytic: str) -> Change:
    there = no_regression(both.now, both.before, threshold, cell)
    back = no_regression(both.before, both.now, threshold, cell)
    made = _bare(both, threshold, cell, analytic)
    if there.fault or there.p is None or back.p is None:
        return replace(made, reason=there.fault or back.fault or "nothing to compare")
    chance = min(1.0, 2 * min(there.p, back.p))
    gained = there.gained if threshold.metric.source == "incidents" else _turned(threshold, back)
    told = replace(made, difference=there.difference, difference_ci=there.difference_ci, p=chance)
    return replace(told, better=_better(threshold, there.difference), lost=there.named, gained=gained)


def _turned(threshold: Threshold, back: Compared) -> tuple[Named, ...]:
    """What is worse the other way round is better this way: alarms that are gone, incidents that take less."""
    how = "gone" if threshold.metric.source == "alarms" else "faster"
    return tuple(replace(one, how=how) for one in back.named)


def _told(both: Common, threshold: Threshold, cell: Cell, analytic: str) -> Change:
    made = _bare(both, threshold, cell, analytic)
    if made.now.value is None or made.before.value is None:
        return replace(made, reason="not measured in both")
    fallen = made.now.value - made.before.value
    return replace(made, difference=fallen, better=_better(threshold, fallen))


def _bare(both: Common, threshold: Threshold, cell: Cell, analytic: str) -> Change:
    values = [measured(card, threshold, cell) for card in (both.before, both.now)]
    return Change(*cell, analytic, threshold.metric.name, values[0], values[1])


def _better(threshold: Threshold, difference: float | None) -> bool | None:
    return None if not difference else (difference > 0) == threshold.metric.rises
