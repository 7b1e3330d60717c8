"""What of two scorecards can be held against each other, and why it should not be. Pure.

Rows of scenarios, and where any are the same of seeds, that only one of the two has are left out of both: what is
compared is what both had to do. Nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.gate.pairs import comparable
from lab.gate.selection import Card
from lab.report.cases import cells

Row = Mapping[str, Any]
ROWS = ("incidents", "false_alarms", "blind_spots", "played", "judgements", "unscored")
ANYWAY = "--anyway compares them all the same"


@dataclass(frozen=True)
class Common:
    """Both scorecards, cut to what they have in common. ``bars``: why a difference need not be the detector's.

    ``notes``: what was left out or taken for the same; ``whole``: whether nothing was left out of either.
    """

    now: Card
    before: Card
    cells: tuple[tuple[str, str], ...]
    bars: tuple[str, ...]
    notes: tuple[str, ...]
    whole: bool
    same_recordings: bool


def common(before: Card, now: Card) -> Common:
    """The two cut to what they share; the bars are for the caller to heed."""
    old, notes = matched(before.content, now.content)
    bars = [*_bars(Card(old, before.name), now), *_changed(old, now.content)]
    old = _staged(old, now.content)
    scenarios = {row["scenario"] for row in old["judgements"]} & {row["scenario"] for row in now.content["judgements"]}
    cases = {_case(row) for row in old["judgements"]} & {_case(row) for row in now.content["judgements"]}
    cut = []
    for content in (now.content, old):
        rows = content["judgements"]
        kept = {_case(row) for row in rows if row["scenario"] in scenarios and (not cases or _case(row) in cases)}
        cut.append((_only(content, kept), kept == {_case(row) for row in rows}))
    mine = Card(cut[0][0], now.name), Card(_agreed(cut[1][0], cut[0][0]), before.name)
    there = [cell for cell in cells(cut[0][0]) if cell in cells(old)]
    notes += _left_out(before, now, scenarios) + _alone(old, now.content)
    if scenarios and not cases:
        notes.append("no seed is in both: pairs are incidents of one kind in one scenario, not the same incident")
    elif not (cut[0][1] and cut[1][1]):
        notes.append("seeds or scenarios that only one of them has are left out of both")
    same = bool(cases) and all(_digest(old, case) == _digest(now.content, case) for case in cases)
    if cases and not same:
        notes.append("not all of the recordings are the same: a difference need not be the detector's")
    return Common(*mine, tuple(there), tuple(bars), tuple(notes), cut[0][1] and cut[1][1] and bool(cases), same)


def _case(row: Row) -> tuple[str, int, str]:
    return row["scenario"], row["seed"], row["stage"]


def _bars(before: Card, now: Card) -> list[str]:
    """What of the two runs differs beside the detectors."""
    found = [
        one.split("; run again")[0].replace("the baseline", "A").replace("this run", "B")
        for one in comparable(now, before)
    ]
    suites = before.content["suite"], now.content["suite"]
    stages = [sorted({row["stage"] for row in card.content["judgements"]}) for card in (before, now)]
    if suites[0] != suites[1]:
        found.insert(0, f"suite: A is of {suites[0]}, B of {suites[1]}")
    if stages[0] != stages[1]:
        found.append(f"stage: A was played on {', '.join(stages[0])}, B on {', '.join(stages[1])}")
    return found


def _changed(before: Row, now: Row) -> list[str]:
    one, other = (card["evidence"]["scenarios"] for card in (before, now))
    changed = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    return [f"scenarios: {len(changed)} changed between the two, such as {changed[0]}"] if changed else []


def matched(before: Row, now: Row) -> tuple[dict[str, Any], list[str]]:
    """The scorecard before under the name of the only detector of now, where each has one; notes if they differ."""
    names = [list(dict.fromkeys(name for name, _ in cells(card))) for card in (before, now)]
    if len(names[0]) != 1 or len(names[1]) != 1 or names[0] == names[1]:
        return dict(before), []
    old, new = names[0][0], names[1][0]
    made = dict(before)
    for part in ROWS:
        rows = before[part]
        made[part] = [{**row, "detector": new} if row.get("detector") == old else row for row in rows]
    made["detectors"] = {new if name == old else name: whole for name, whole in before["detectors"].items()}
    versions = before["evidence"].get("detectors", {})
    versions = {new if name == old else name: version for name, version in versions.items()}
    made["evidence"] = {**before["evidence"], "detectors": versions}
    return made, [f"A is of detector {old}, B of {new}"]


def _staged(before: Row, now: Row) -> dict[str, Any]:
    """The scorecard before as if it had been played on the stage of now, where each was played on one."""
    stages = [{row["stage"] for row in card["judgements"]} for card in (before, now)]
    if any(len(some) != 1 for some in stages):
        return dict(before)
    (stage,) = stages[1]
    rows = {part: [{**row, "stage": stage} if "stage" in row else row for row in before[part]] for part in ROWS}
    return {**before, **rows}


def _only(content: Row, kept: set[tuple[str, int, str]]) -> dict[str, Any]:
    made = dict(content)
    for part in ("incidents", "false_alarms", "played", "judgements", "unscored"):
        made[part] = [row for row in content[part] if _case(row) in kept]
    return made


def _agreed(before: Row, now: Row) -> dict[str, Any]:
    """The scorecard before with the hashes of the scenarios of now: whether they may differ was asked already."""
    hashes = {**before["evidence"]["scenarios"], **now["evidence"]["scenarios"]}
    return {**before, "evidence": {**before["evidence"], "scenarios": hashes}}


def _digest(content: Row, case: tuple[str, int, str]) -> str:
    found: str = content["evidence"]["recordings"][f"{case[0]}-s{case[1]}"]
    return found


def _left_out(before: Card, now: Card, shared: set[str]) -> list[str]:
    told = []
    for name, card in (("A", before), ("B", now)):
        alone = sorted(card.scenarios - shared)
        if alone:
            told.append(f"scenarios: {len(alone)} only in {name}: {_few(alone)}")
    return told


def _alone(before: Row, now: Row) -> list[str]:
    mine, other = cells(before), cells(now)
    told = []
    for name, some, rest in (("A", mine, other), ("B", other, mine)):
        alone = [f"{detector} under {view}" for detector, view in some if (detector, view) not in rest]
        if alone:
            told.append(f"only in {name}: {_few(alone)}")
    return told


def _few(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
