"""Whether a suite is too easy: a control that knows but one thing does there nearly as well as the best detector.

Pure, like lab/score.py. Where no detector under test was scored, or nothing was to be found, there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

METRICS = ("pr_auc", "recall_at_budget")
CLEARLY_BELOW = 0.9  # of the best detector's value: a control that reaches it is not clearly below (our choice)


def too_easy(
    detectors: Mapping[str, Mapping[str, Any]], knowing: Sequence[str], others: Iterable[str]
) -> list[dict[str, Any]]:
    """One row per view, analytic, control and metric in which the control reaches CLEARLY_BELOW of the best detector.

    ``detectors``: as in a scorecard. ``knowing``: the controls that know one thing; ``others``: those that know none
    and are no detectors under test. Nothing found at all is no success: a control's 0 reaches nobody's.
    """
    tested = [name for name in sorted(detectors) if name not in {*knowing, *others}]
    found = []
    for control in knowing:
        for view, analytic, cell in _cells(detectors.get(control, {})):
            rivals = {name: _cell(detectors[name], view, analytic) for name in tested}
            for metric in METRICS:
                values = {name: one[metric] for name, one in rivals.items() if one and one[metric] is not None}
                if cell[metric] and values and cell[metric] >= CLEARLY_BELOW * (most := max(values.values())):
                    best = next(name for name, value in values.items() if value == most)
                    where = {"analytic": analytic, "view": view, "control": control, "metric": metric}
                    found.append({**where, "value": cell[metric], "best": best, "best_value": most})
    return sorted(found, key=lambda row: (row["analytic"], row["view"], row["control"], row["metric"]))


def _cells(whole: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for view, cell in whole.get("views", {}).items():
        for analytic, found in cell["analytics"].items():
            yield view, analytic, found


def _cell(whole: Mapping[str, Any], view: str, analytic: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = whole["views"].get(view, {}).get("analytics", {}).get(analytic)
    return found
