"""A scorecard as cases: one for each incident, detector and view, whether or not there is a score for it. Pure.

What was not scored is a case too: a trial that failed leaves its incidents ``failed``, one that was unsupported leaves
them ``unsupported``, and where it is not even known what was played, the trial itself is the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.report.ladder import subjects
from lab.report.telling import in_a_line, telling
from lab.report.words import duration, ladder_order
from lab.score import CONTROLS

Row = Mapping[str, Any]
#: The command that plays a row of a scorecard again.
Again = Callable[[Row, Row], str]
Cell = tuple[str, str]  # detector, view
Key = tuple[str, int, str, str]  # scenario, seed, stage, incident
STATUSES = ("detected", "missed", "unseen", "unsupported", "failed")
REASONS = 5  # of a finding


@dataclass(frozen=True)
class Case:
    """What became of one incident for one detector under one view; ``incident`` is empty where a trial is the case.

    ``why``: why it is missed, unseen, unsupported or failed, in words; ``analytic`` is empty where it is not known.
    """

    status: str
    detector: str
    view: str
    scenario: str
    seed: int
    stage: str
    incident: str
    analytic: str
    behaviour: str
    why: str
    command: str
    row: Row = field(default_factory=dict)  # of the scorecard's incidents, where it was scored

    @property
    def name(self) -> str:
        """The incident, or the trial that never came to one."""
        return self.incident or f"trial of {self.scenario}"

    @property
    def headline(self) -> str:
        """What became of it in a sentence."""
        if self.status == "detected":
            return f"detected after {duration(self.row['time_to_detect_s'])}, score {self.row['score']:.2f}"
        return f"{self.status}: {self.why}"

    @property
    def told(self) -> list[str]:
        """What the detector gave as its reasons, the telling ones first."""
        return [in_a_line(reason) for reason in telling(self.row.get("reasons") or (), REASONS)]


def cells(card: Row) -> list[Cell]:
    """The detectors under test with their views, the widest first; controls only where there is nothing else."""
    names = subjects(card, CONTROLS)
    return [(name, view) for name in names for view in sorted(card["detectors"][name]["views"], key=ladder_order)]


def cases(card: Row, again: Again) -> list[Case]:
    """Every case of the detectors under test, in the order of detector, view, scenario, seed and incident."""
    facts = {_kind(row): (row["analytic"], row["behaviour"]) for row in card["incidents"]}
    found = []
    for cell in cells(card):
        rows = [row for row in card["incidents"] if (row["detector"], row["view"]) == cell]
        here = [
            Case(row["verdict"], **_place(row, cell), why=_why(row), command=again(row, card), row=row) for row in rows
        ]
        for row, status, why in _without(card, cell, facts, {_incident(row) for row in rows}):
            analytic, behaviour = facts.get(_kind(row), ("", ""))
            whole = _place({**row, "analytic": analytic, "behaviour": behaviour}, cell)
            here.append(Case(status, **whole, why=why, command=again(whole, card)))
        found += sorted(here, key=_order)
    return found


def seeds(card: Row) -> str:
    """How many seeds the scorecard is of, in words."""
    return f"{card['seeds']} seed" + ("" if card["seeds"] == 1 else "s")


def stray(row: Row) -> str:
    """Who a false alarm blames, in words."""
    who = "/".join(row[name] or "unknown" for name in ("device", "package"))
    return who + (f" to {row['peer']}" if row["peer"] else "")


def _order(case: Case) -> Key:
    return case.scenario, case.seed, case.stage, case.incident


def _place(row: Row, cell: Cell) -> dict[str, Any]:
    """What of a case is in its row, and the detector and view of its cell."""
    names = ("scenario", "seed", "stage", "incident", "analytic", "behaviour")
    return {**{name: row[name] for name in names}, "detector": cell[0], "view": cell[1]}


def _why(row: Row) -> str:
    if row["verdict"] == "unseen":
        return "no row of this view is of it"
    if row["verdict"] == "detected":
        return ""
    if row["score"] is None:
        return "nothing was said of it"
    return f"best score {row['score']:.2f}, no alert that counts"


def _kind(row: Row) -> str:
    """What an incident's name ends in: its behaviour, which is of one analytic wherever it is played."""
    name: str = row["incident"]
    return name.rpartition("/")[2]


def _incident(row: Row) -> Key:
    return row["scenario"], row["seed"], row["stage"], row["incident"]


def _without(
    card: Row, cell: Cell, facts: Mapping[str, tuple[str, str]], had: set[Key]
) -> Iterator[tuple[Row, str, str]]:
    """What has no score in that cell, its status and why: of trials that have none, of analytics not judged there."""
    ended = {_trial(row): row for row in card["unscored"] if (row["detector"], row["view"]) == cell}
    judged = {_trial(row) for row in card["judgements"] if (row["detector"], row["view"]) == cell}
    named = set()
    for row in card["played"]:
        trial = _trial(row)
        if trial not in {*ended, *judged} or _incident(row) in had:
            continue
        named.add(trial)
        if trial in ended:
            yield row, ended[trial]["status"], ended[trial]["reason"]
        else:
            analytic = facts.get(_kind(row), ("its analytic", ""))[0]
            yield row, "unsupported", f"the detector cannot judge {analytic} on what this view shows"
    for trial, row in ended.items():
        if trial not in named:
            yield {**row, "incident": ""}, row["status"], row["reason"]


def _trial(row: Row) -> tuple[str, int, str]:
    return row["scenario"], row["seed"], row["stage"]


def counted(found: Iterable[Case]) -> dict[str, int]:
    """How many cases of each status, those of none included."""
    statuses = [case.status for case in found]
    return {status: statuses.count(status) for status in STATUSES}
