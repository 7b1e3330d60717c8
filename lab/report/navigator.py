"""A scorecard's detector and view as a layer of the ATT&CK Navigator, format 4.5. Pure.

The score of a technique is recall at the budget (0 to 1), never a count of rules. One detector under one view is one
layer. Web Protocols has no score: at a budget no part of an analytic has one; what it has stands in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lab.report.attack import ANALYTICS, ATTACK_VERSION, WEB, Technique, web
from lab.report.cases import Cell, seeds
from lab.report.words import CANNOT_JUDGE, CLAIM, plain, rate, rate_interval, share, share_interval
from lab.score import refusal
from lab.scoring.intervals import wilson

Row = Mapping[str, Any]
VERSIONS = {"attack": ATTACK_VERSION.split(".", maxsplit=1)[0], "navigator": "5.1.0", "layer": "4.5"}
GRADIENT = {"colors": ["#ff6666", "#ffe766", "#8ec843"], "minValue": 0, "maxValue": 1}


def layer(card: Row, cell: Cell) -> bytes:
    """The layer of that detector and view, JSON; an analytic that was not judged is there, and has no score."""
    name, view = cell
    found = card["detectors"][name]["views"][view]["analytics"]
    budget = f"{card['budget_per_device_day']:.12g}"
    stop = refusal(card)
    made = {
        "name": plain(f"{name}, {view}: recall at {budget} false alarms per device-day"),
        "versions": VERSIONS,
        "domain": "mobile-attack",
        "description": plain(f"{stop + ' ' if stop else ''}Suite {card['suite']}, {seeds(card)}. {CLAIM}"),
        "filters": {"platforms": ["Android"]},
        "sorting": 3,
        "techniques": [*_techniques(found)],
        "gradient": GRADIENT,
        "legendItems": [{"label": "score: recall at the budget, 0 to 1", "color": "#8ec843"}],
        "metadata": _pairs({**_about(card), "detector": name, "view": view}),
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
        "expandedSubtechniques": "annotated",
    }
    return (json.dumps(made, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _techniques(found: Row) -> Iterator[dict[str, Any]]:
    for analytic, about in ANALYTICS.items():
        measured = found.get(analytic)
        yield _technique(about, measured, _measured(measured) if measured else {"measured": CANNOT_JUDGE})
        if analytic == WEB.analytic and measured:
            parts = [one for name, one in measured["by_behaviour"].items() if web(analytic, name)]
            hits, many = (sum(one[key] for one in parts) for key in ("detected", "incidents"))
            if many:
                told = {"recall": f"{share(hits / many)} of {many}", "recall 95 %": share_interval(wilson(hits, many))}
                yield _technique(WEB, None, told)


def _technique(about: Technique, measured: Row | None, told: Mapping[str, str]) -> dict[str, Any]:
    score = measured["recall_at_budget"] if measured else None
    return {
        "techniqueID": about.technique,
        **({"score": score} if score is not None else {}),
        "comment": "; ".join(f"{name}: {value}" for name, value in told.items()),
        "enabled": True,
        "metadata": _pairs({"analytic": about.analytic, "detection strategy": about.strategy, **told}),
        "links": [{"label": f"ATT&CK {about.technique}", "url": about.page}],
        "showSubtechniques": about is not WEB,
    }


def _measured(found: Row) -> dict[str, str]:
    """What is known of one analytic, each with its interval and what it rests on."""
    if not found["trials"]["scored"]:
        return {"measured": CANNOT_JUDGE}
    many, at_budget = found["incidents"], found["recall_at_budget"]
    bounds = wilson(round(at_budget * many), many) if at_budget is not None else None
    return {
        "recall at the budget": f"{share(at_budget)} of {many}",
        "recall at the budget 95 %": share_interval(bounds),
        "recall": f"{share(found['recall'])} of {many}",
        "recall 95 %": share_interval(found["recall_ci"]),
        "unseen": str(found["unseen"]),
        "false alarms per device-day": rate(found["false_alarms_per_device_day"]),
        "false alarms 95 %": rate_interval(found["fa_ci"]),
        "device-days": rate(found["device_days"]),
    }


def _about(card: Row) -> dict[str, str]:
    software = card["evidence"].get("software", {})
    budget = f"{card['budget_per_device_day']:.12g}"
    made = {"suite": card["suite"], "seeds": str(card["seeds"]), "budget per device-day": budget}
    return {**made, "droidrange": str(software.get("droidrange", "unknown"))}


def _pairs(told: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": plain(name), "value": plain(value)} for name, value in told.items()]
