"""A stored scorecard written in other tools' formats: read, narrowed, and handed to the exporter of each format.

What is exported is what ``scorecard.json`` says: nothing is scored again. A scorecard whose parts contradict each other
is refused; one of a run that is no evidence is exported, says so in every format, and leaves the exit code at 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import detector.contract
from detector.contract import ANALYTICS
from lab.comparing.overlap import matched
from lab.errors import EvidenceError
from lab.gate.again import command
from lab.gate.evidence import stored
from lab.gate.faults import faults
from lab.report.cases import Case, cases, cells
from lab.report.sarif import RuleFile
from lab.score import refusal

Row = Mapping[str, Any]
#: Where the bundled detector's rules stand, below where droidrange is installed.
BUNDLED = "detector/thresholds.toml"
LONGEST = 1 << 22  # bytes of a rule file that are searched
_THRESHOLD = re.compile(r"\s*threshold\s*=")


@dataclass(frozen=True)
class Export:
    """A scorecard to be written. ``before``: that of a baseline; ``folder``: what paths of rules are relative to."""

    card: Row
    before: Row | None = None
    folder: Path = field(default_factory=Path)

    @cached_property
    def cases(self) -> list[Case]:
        """The cases of the scorecard."""
        return cases(self.card, command)

    @cached_property
    def places(self) -> dict[tuple[str, str], RuleFile]:
        """Where the rules of each detector under test stand, for each analytic."""
        return places(self.card, self.folder)


@dataclass(frozen=True)
class Written:
    """One file: the name it has in a folder, and its content; ``text`` if a terminal can show it."""

    name: str
    content: bytes
    text: bool = True


def read(path: Path) -> dict[str, Any]:
    """The stored scorecard of a file or run folder; EvidenceError if it is missing, damaged or contradicts itself."""
    place = path / "scorecard.json" if path.is_dir() else path
    card = stored(place)
    stop = None
    with suppress(KeyError, TypeError, AttributeError):  # what is no scorecard has its faults
        stop = refusal(card)
    if wrong := [one for one in faults(card) if one != stop]:
        raise EvidenceError(f"{place}: {wrong[0]}" + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
    made: dict[str, Any] = card
    return made


def narrowed(card: Row, detectors: Sequence[str], views: Sequence[str]) -> dict[str, Any]:
    """The scorecard of these detectors and views alone, of all where none is named; EvidenceError for one not there."""
    known = [(name, view) for name, whole in card["detectors"].items() for view in whole["views"]]
    for what, place, asked in (("detector", 0, detectors), ("view", 1, views)):
        there = sorted({cell[place] for cell in known})
        if absent := [one for one in asked if one not in there]:
            raise EvidenceError(f"no {what} {', '.join(absent)} in this scorecard, which has {', '.join(there)}")
    kept = {cell for cell in known if cell[0] in (detectors or {cell[0]}) and cell[1] in (views or {cell[1]})}
    made = dict(card)
    for part in ("incidents", "false_alarms", "blind_spots", "separability", "judgements", "unscored"):
        made[part] = [row for row in card[part] if (row["detector"], row["view"]) in kept]
    made["detectors"] = {
        name: {**whole, "views": {view: cell for view, cell in whole["views"].items() if (name, view) in kept}}
        for name, whole in card["detectors"].items()
        if any(name == one for one, _ in kept)
    }
    counts = [cell["trials"] for whole in made["detectors"].values() for cell in whole["views"].values()]
    made["trials"] = {status: sum(one[status] for one in counts) for status in card["trials"]}
    return made


def against(baseline: Row, card: Row, views: Sequence[str]) -> dict[str, Any]:
    """What of a baseline the scorecard is held against: its detectors, or the only one where each has one."""
    before, _ = matched(narrowed(baseline, (), views), card)
    return narrowed(before, list(dict.fromkeys(name for name, _ in cells(card))), views)


def export(what: Export, name: str) -> list[Written]:
    """The files of that format; LookupError for a format that is not known."""
    if name not in FORMATS:
        raise LookupError(f"unknown format '{name}': known are {', '.join(FORMATS)}")
    return list(FORMATS[name](what))


def places(card: Row, folder: Path) -> dict[tuple[str, str], RuleFile]:
    """Where the rules of the detectors under test stand, where that is known; paths below ``folder`` are relative."""
    names = dict.fromkeys(name for name, _ in cells(card))
    found = {(name, analytic): _place(name, analytic, folder) for name in names for analytic in ANALYTICS}
    return {key: place for key, place in found.items() if place}


def _place(name: str, analytic: str, folder: Path) -> RuleFile | None:
    """The file a detector was given, else one of droidrange's own: its thresholds, or the adapter."""
    stem, _, argument = name.partition(":")
    given = (folder / argument).resolve()
    if argument and given.is_file():
        if not given.is_relative_to(folder.resolve()):
            return RuleFile(given.as_uri(), "", _line_of(given, analytic))
        return RuleFile(quote(given.relative_to(folder.resolve()).as_posix()), "SRCROOT", _line_of(given, analytic))
    own = BUNDLED if name == "builtin" else f"detector/adapters/{stem.replace('-', '_')}.py"
    there = Path(detector.contract.__file__).parents[1] / own
    return RuleFile(own, "DROIDRANGE", _line_of(there, analytic)) if there.is_file() else None


def _line_of(path: Path, analytic: str) -> int:
    """The line of a rule file that is about the analytic: its threshold where that is TOML; 0 if none is."""
    if path.suffix == ".py" or path.stat().st_size > LONGEST:
        return 0
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    first = next((number for number, line in enumerate(lines, 1) if analytic in line), 0)
    if not first or lines[first - 1].strip() != f"[{analytic}]":
        return first
    return next((number for number, line in enumerate(lines, 1) if number > first and _THRESHOLD.match(line)), first)


def _junit(what: Export) -> Iterator[Written]:
    from lab.report.junit import junit

    yield Written("junit.xml", junit(what.card, what.cases))


def _sarif(what: Export) -> Iterator[Written]:
    from lab.report.sarif import results_of, sarif

    before = []
    if what.before is not None:
        old = Export(what.before, folder=what.folder)
        before = list(results_of(old.card, old.cases, command, old.places))
    yield Written("droidrange.sarif", sarif(what.card, what.cases, command, what.places, before))


def _github(what: Export) -> Iterator[Written]:
    from lab.report.github import commands

    here = {key: (unquote(at.uri), at.line or 1) for key, at in what.places.items() if at.base == "SRCROOT"}
    yield Written("annotations.txt", commands(what.card, what.cases, here))


def _summary(what: Export) -> Iterator[Written]:
    from lab.report.markdown import summary

    yield Written("summary.md", summary(what.card, what.cases))


def _markdown(what: Export) -> Iterator[Written]:
    from lab.report.markdown import page

    yield Written("report.md", page(what.card, what.cases))


def _navigator(what: Export) -> Iterator[Written]:
    from lab.report.navigator import layer

    for name, view in cells(what.card):
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in f"{name}-{view}")
        yield Written(f"navigator-{safe}.json", layer(what.card, (name, view)))


def _csv(what: Export) -> Iterator[Written]:
    from lab.report.rows import as_csv

    yield Written("rows.csv", as_csv(what.card, command))


def _parquet(what: Export) -> Iterator[Written]:
    from lab.report.rows import as_parquet

    yield Written("rows.parquet", as_parquet(what.card, command), text=False)


FORMATS: Mapping[str, Callable[[Export], Iterator[Written]]] = {
    "junit": _junit,
    "sarif": _sarif,
    "github": _github,
    "summary": _summary,
    "markdown": _markdown,
    "navigator": _navigator,
    "csv": _csv,
    "parquet": _parquet,
}
