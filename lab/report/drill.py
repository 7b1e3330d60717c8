"""The incidents of a run one by one, and what the page's script needs to draw each when it is opened.

Columnar: every text once, times as columns of a strip, answers and sizes only as many as a page has room for, and what
was left out is counted. Pure; numbers come from the scorecard, recordings and answers, none is made here.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.report import words
from lab.report.ladder import Json
from lab.report.strips import Strip, sample, strokes
from lab.report.telling import in_a_line, telling

ANSWERS_AT_MOST = 2400  # of a page: more would not fit 5 MB beside the rest; those to missed incidents come first
SIZES_AT_MOST = 60_000  # of a page, and of an incident at most:
SIZES_EACH = 250
FACTORS_AT_MOST = 12  # of an answer: those that carry most
REASONS_AT_MOST = 3
VERDICTS = ("missed", "unseen", "detected")

Key = tuple[str, int, str]  # scenario, seed, incident
Answers = Mapping[tuple[str, int, str, str, str], Json]  # scenario, seed, view, detector, incident


@dataclass(frozen=True)
class Case:
    """One incident, and its rows in the scorecard: one for each detector under test and view that judged it."""

    number: int
    rows: Sequence[Json]
    why: str

    @property
    def about(self) -> Json:
        """What is the same in all rows: place, incident, app, times."""
        return self.rows[0]

    @property
    def again(self) -> str:
        """The command that asks the detector once more, for a shell in the folder of the run."""
        about = self.about
        place = f"recordings/{about['scenario']}-s{about['seed']}"
        ask = ["droidrange", "detect", place, "--detector", about["detector"], "--view", about["view"]]
        return shlex.join([*ask, "--explain", about["incident"]])

    @property
    def chips(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The verdicts, detector by detector: (view, verdict) from the widest view to the narrowest."""
        told: dict[str, list[tuple[str, str]]] = {}
        for row in self.rows:
            told.setdefault(row["detector"], []).append((row["view"], row["verdict"]))
        return list(told.items())


@dataclass
class Texts:
    """Every text once; a number stands for it."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, text: str | None) -> int:
        """The place of a text in the list, -1 for none."""
        return -1 if text is None else self.known.setdefault(words.plain(text), len(self.known))


def cases(card: Json, tested: Sequence[str], answers: Answers) -> list[Case]:
    """The incidents of the detectors under test, those first that the first of them missed under the widest view."""
    found: dict[Key, list[Json]] = {}
    order = {name: place for place, name in enumerate(tested)}
    for row in card["incidents"]:
        if row["detector"] in order:
            found.setdefault(_key(row), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (order[row["detector"]], words.ladder_order(row["view"])))
    ranked = sorted(found.items(), key=lambda item: (VERDICTS.index(item[1][0]["verdict"]), item[0]))
    return [Case(number, rows, _why(rows[0], answers)) for number, (_, rows) in enumerate(ranked)]


def packed(some: Sequence[Case], strips: Iterable[Strip], answers: Answers) -> dict[str, Any]:
    """The incidents as the script reads them; ``left_out`` counts the answers for which there was no room."""
    texts, told = Texts(), Texts()
    drawn = {(one.scenario, one.seed, one.incident): one for one in strips}
    each = min(SIZES_EACH, SIZES_AT_MOST // max(1, len(drawn)))
    rows = [row for case in some for row in case.rows if _asked(row) in answers]
    rows.sort(key=lambda row: row["verdict"] == "detected")
    places = {_asked(row): place for place, row in enumerate(rows[:ANSWERS_AT_MOST])}
    return {
        "cases": [_case(case, drawn.get(_key(case.about)), each, places, texts) for case in some],
        "answers": [_answer(answers[key], texts, told) for key in places],
        "left_out": max(0, len(rows) - ANSWERS_AT_MOST),
        "texts": list(texts.known),
        "factors": list(told.known),
    }


def _key(row: Json) -> Key:
    return row["scenario"], row["seed"], row["incident"]


def _asked(row: Json) -> tuple[str, int, str, str, str]:
    return row["scenario"], row["seed"], row["view"], row["detector"], row["incident"]


def _why(row: Json, answers: Answers) -> str:
    """Why an incident was missed, or by what it was found, in a line."""
    answer = answers.get(_asked(row))
    if row["verdict"] != "detected" and answer and answer["text"]:
        change = answer["counterfactual"]
        return f"{answer['text']}{'; ' + change['text'] if change else ''}"
    first = telling(row["reasons"], most=1)
    return in_a_line(first[0]) if first else "no finding" if row["score"] is None else "no reason given"


def _case(case: Case, strip: Strip | None, each: int, places: Mapping[Any, int], texts: Texts) -> dict[str, Any]:
    about = case.about
    made: dict[str, Any] = {
        "incident": texts.number(about["incident"]),
        "scenario": texts.number(about["scenario"]),
        "seed": about["seed"],
        "verdicts": [_verdict(row, places.get(_asked(row), -1), texts) for row in case.rows],
    }
    return made | (_drawing(strip, each) if strip else {})


def _drawing(strip: Strip, each: int) -> dict[str, Any]:
    shown = sample(strip, each)
    lanes = (strip.conversations, strip.screen_on, strip.locked, strip.dozing)
    return {
        "from": strip.start // 1000,
        "span": strip.span // 1000,
        "said": len(strip.conversations),
        "lanes": [strokes(strip, pairs) for pairs in lanes],
        "sizes": len(strip.sizes),
        "up": [up for _, up, _ in shown],
        "down": [down for _, _, down in shown],
    }


def _verdict(row: Json, answer: int, texts: Texts) -> list[Any]:
    reasons = [] if answer >= 0 else [texts.number(in_a_line(one)) for one in telling(row["reasons"], REASONS_AT_MOST)]
    numbers = [_short(row["score"]), _short(row["time_to_detect_s"]), row["contacts_to_detect"]]
    names = [texts.number(row[name]) for name in ("detector", "view", "verdict")]
    return [*names, *numbers, texts.number(row["peer"]), answer, reasons]


def _answer(answer: Json, texts: Texts, told: Texts) -> list[Any]:
    carrying = [one for one in answer["factors"] or () if one["contribution"]][:FACTORS_AT_MOST]
    change = answer["counterfactual"]
    return [
        texts.number(answer["text"] or answer["outcome"]),
        _short(answer["score"]),
        _short(answer["threshold"]),
        [
            [told.number(one["name"]), _short(one["value"]), _short(one["contribution"]), told.number(one["expected"])]
            for one in carrying
        ],
        texts.number(change["text"] if change else None),
        [texts.number(one["text"]) for one in answer["together"] or ()],
    ]


def _short(value: float | None) -> float | None:
    """Four significant digits."""
    return None if value is None else float(f"{value:.4g}")
