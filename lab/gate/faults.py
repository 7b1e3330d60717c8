"""What is wrong with a scorecard as evidence: every number that two of its parts give must be the same in both.

Pure: the content of a scorecard.json in, sentences out. A scorecard with a fault is neither held nor broken.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from detector.contract import SCHEMA_VERSION
from lab.scoring.refusal import refusal

Row = Mapping[str, Any]
AGAIN = "run and score again with this droidrange"
PARTS: Mapping[str, type] = {
    "trials": dict,
    "detectors": dict,
    "incidents": list,
    "false_alarms": list,
    "blind_spots": list,
    "unscored": list,
    "played": list,
    "judgements": list,
    "evidence": dict,
}
PLACE = ("scenario", "seed", "stage", "view", "detector")
VERDICTS = ("detected", "missed", "unseen")
CLOSE = 1e-9


def faults(card: object) -> list[str]:
    """Every fault of a scorecard, in words; empty if it can be judged."""
    if not isinstance(card, dict):
        return [f"found {type(card).__name__}, expected the object of a scorecard.json"]
    if card.get("schema_version") != SCHEMA_VERSION:
        found = card.get("schema_version")
        return [f"found schema_version {found!r}, expected {SCHEMA_VERSION}: scored by another droidrange; {AGAIN}"]
    budget = card.get("budget_per_device_day")
    if isinstance(budget, bool) or not isinstance(budget, int | float):
        return [f"budget_per_device_day: found {budget!r}, expected a number; {AGAIN}"]
    wrong = [
        f"{name}: found {type(card.get(name)).__name__}, expected {kind.__name__}; {AGAIN}"
        for name, kind in PARTS.items()
        if not isinstance(card.get(name), kind)
    ]
    if wrong:
        return wrong
    try:
        return _contradictions(card)
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        return [f"a part is missing or of another kind ({type(fault).__name__}: {fault}); {AGAIN}"]


def _contradictions(card: Row) -> list[str]:
    found = [*_no_numbers(card), *_trials(card), *_rows(card), *_cells(card), *_provenance(card)]
    stop = refusal(card)
    return ([stop] if stop else []) + found


def _no_numbers(card: Row) -> list[str]:
    """Where the scorecard holds NaN or an infinity; whether it does is asked first, because that is quick."""
    try:
        json.dumps(card, allow_nan=False)
    except ValueError:
        return list(_endless(card))
    return []


def _endless(card: object, place: str = "") -> Iterator[str]:
    """Numbers that are none: NaN and infinities pass every comparison or none."""
    if isinstance(card, float) and not math.isfinite(card):
        yield f"{place}: found {card}, expected a number"
    elif isinstance(card, Mapping):
        for key, value in card.items():
            yield from _endless(value, f"{place}.{key}" if place else str(key))
    elif isinstance(card, list):
        for number, value in enumerate(card):
            if isinstance(value, float | list | dict):
                yield from _endless(value, f"{place}[{number}]")


def _trials(card: Row) -> Iterator[str]:
    """The counts of trials: of the whole, of each detector and view, and of those that say why they have no score."""
    cells = [cell["trials"] for whole in card["detectors"].values() for cell in whole["views"].values()]
    for status, count in card["trials"].items():
        if count != (summed := sum(cell[status] for cell in cells)):
            yield f"trials: found {count} {status}, but {summed} under detectors"
    unscored = Counter(row["status"] for row in card["unscored"])
    for status in ("failed", "unsupported"):
        if card["trials"][status] != unscored[status]:
            yield f"unscored: found {unscored[status]} {status}, expected {card['trials'][status]}"


def _rows(card: Row) -> Iterator[str]:
    """Rows given twice, verdicts that are none, incidents of which nothing says how they were played."""
    names = [(*(row[key] for key in PLACE), row["incident"]) for row in card["incidents"]]
    costs = [(*(row[key] for key in PLACE), row["analytic"]) for row in card["judgements"]]
    for part, keys in (("incidents", names), ("judgements", costs)):
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            yield f"{part}: {len(twice)} given twice, such as {' '.join(map(str, twice[0]))}"
    settings = {(row["scenario"], row["seed"], row["stage"], row["incident"]) for row in card["played"]}
    judged = set(costs)
    for row, name in zip(card["incidents"], names, strict=True):
        wrong = _verdict(row)
        if (*name[:3], row["incident"]) not in settings:
            wrong = "in incidents, not in played"
        elif (*name[:5], row["analytic"]) not in judged:
            wrong = f"in incidents, but no judgement of {row['analytic']} there"
        if wrong:
            yield f"{row['incident']}: {wrong}"
    for row in card["judgements"]:
        if row["device_days"] < 0 or row["false_alarms"] < 0 or row["false_alarms"] % 1:
            yield f"judgements: {row['scenario']}: {row['false_alarms']} alarms in {row['device_days']} device-days"


def _verdict(row: Row) -> str:
    """What is wrong with the verdict of a row: what was detected took some time, what was not took none."""
    verdict, time = row["verdict"], row["time_to_detect_s"]
    if verdict not in VERDICTS:
        return f"found verdict {verdict!r}, expected one of {', '.join(VERDICTS)}"
    if (verdict == "detected") != (time is not None) or (time or 0) < 0:
        return f"{verdict} after {time} s"
    return ""


def _cells(card: Row) -> Iterator[str]:
    """The summary of each detector, view and analytic against the rows it was counted from."""
    met = _counted(card["incidents"], lambda _: 1)
    hits = _counted(card["incidents"], lambda row: row["verdict"] == "detected")
    alarms = _counted(card["judgements"], lambda row: row["false_alarms"])
    days = _counted(card["judgements"], lambda row: row["device_days"])
    known = set()
    for key, cell in summaries(card):
        known.add(key)
        if not cell["trials"]["scored"]:
            continue
        for name, table in (
            ("incidents", met),
            ("detected", hits),
            ("false_alarms", alarms),
            ("device_days", days),
        ):
            told, counted = cell[name], table.get(key, 0)
            if told is None or abs(told - counted) > CLOSE * max(1, abs(counted)):
                yield f"{' '.join(key)}: {name} says {told}, its rows say {counted}"
    for key in sorted({*met, *alarms} - known):
        yield f"{' '.join(key)}: rows without a summary"


def summaries(card: Row) -> Iterator[tuple[tuple[str, str, str], Row]]:
    """The summary of every detector, view and analytic of a scorecard."""
    for name, whole in card["detectors"].items():
        for view, cell in whole["views"].items():
            for analytic, found in cell["analytics"].items():
                yield (name, view, analytic), found


def _counted(rows: Iterable[Row], amount: Any) -> dict[tuple[str, str, str], float]:
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        found[row["detector"], row["view"], row["analytic"]] += amount(row)
    return dict(found)


def _provenance(card: Row) -> Iterator[str]:
    """Every case that was scored rests on a scenario and a recording of known hash."""
    evidence = card["evidence"]
    if not evidence.get("software", {}).get("droidrange"):
        yield f"evidence: it does not say which droidrange made it; {AGAIN}"
    for part, names in (
        ("scenarios", {row["scenario"] for row in card["judgements"]}),
        ("recordings", {f"{row['scenario']}-s{row['seed']}" for row in card["judgements"]}),
    ):
        lacking = sorted(names - {name for name, digest in evidence.get(part, {}).items() if digest})
        if lacking:
            yield f"evidence: no hash of {len(lacking)} {part}, such as {lacking[0]}"
