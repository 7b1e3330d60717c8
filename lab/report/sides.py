"""Detectors side by side: curves, what recall costs each, and of which behaviours each is blind under which view.

From a scorecard's JSON alone; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.report import words
from lab.report.ladder import Json

SIGNS = {"missed": "\N{BALLOT X}", "unseen": "\N{DOTTED CIRCLE}", "unsupported": "\N{EN DASH}", "": "\N{BLACK CIRCLE}"}
TOLD = {
    "missed": "all missed",
    "unseen": "none of them visible in this telemetry",
    "unsupported": "the detector cannot run on what the view shows",
    "": "found at least once",
}


@dataclass(frozen=True)
class Blind:
    """Behaviours of which some detector finds nothing: (analytic, behaviour) down, (detector, views) across.

    ``rows`` hold, in the order of ``columns``, one word of TOLD for each view of each detector.
    """

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]


def blind(card: Json, tested: Sequence[str]) -> Blind:
    """The matrix of the detectors under test; without rows where everything was found at least once everywhere."""
    columns = tuple((name, tuple(sorted(card["detectors"][name]["views"], key=words.ladder_order))) for name in tested)
    why = {_spot(row): row["why"] for row in card["blind_spots"] if row["detector"] in tested}
    kinds = sorted({key[2:] for key in why})
    rows = tuple(
        (*kind, tuple(why.get((name, view, *kind), "") for name, views in columns for view in views)) for kind in kinds
    )
    return Blind(columns, rows)


def _spot(row: Json) -> tuple[str, str, str, str]:
    return row["detector"], row["view"], row["analytic"], row["behaviour"]


def views_of(card: Json) -> list[str]:
    """Every view of a run, from the widest to the narrowest."""
    return sorted({view for whole in card["detectors"].values() for view in whole["views"]}, key=words.ladder_order)


def sides(card: Json) -> list[dict[str, Any]]:
    """One row for each analytic, view and detector, the controls too, for the curves and the plot of costs.

    ``curve``: (recall, precision) from the best score on, wherever recall grows; ``at``: at the detector's own
    threshold, None without an alert.
    """
    return [
        {"detector": words.plain(name), "view": words.plain(view), "analytic": analytic, **_side(found)}
        for name, whole in sorted(card["detectors"].items())
        for view, cell in sorted(whole["views"].items(), key=lambda item: words.ladder_order(item[0]))
        for analytic, found in sorted(cell["analytics"].items())
        if found["trials"]["scored"] and found["incidents"]
    ]


def _side(found: Json) -> dict[str, Any]:
    hits, wrong = found["detected"], found["false_alarms"]
    return {
        "recall": found["recall"],
        "recall_ci": found["recall_ci"],
        "alarms": found["false_alarms_per_device_day"],
        "alarms_ci": found["fa_ci"],
        "at": [found["recall"], hits / (hits + wrong)] if hits + wrong else None,
        "curve": _curve(found.get("pr_curve") or ()),
    }


def _curve(points: Sequence[Json]) -> list[list[float]]:
    grown: list[list[float]] = []
    for one in sorted(points, key=lambda point: (point["recall"], -point["precision"])):
        if one["recall"] > (grown[-1][0] if grown else 0):
            grown.append([one["recall"], one["precision"]])
    return [[round(recall, 4), round(precision, 4)] for recall, precision in grown]
