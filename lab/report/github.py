"""A scorecard as GitHub workflow commands, one line an annotation, the gravest first. Pure.

GitHub shows ten errors, ten warnings and ten notices of a step: failed trials are errors, missed incidents warnings,
blind spots and false alarms (one line an app) notices. A line cannot be left: what it holds is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab.report.cases import Case, cells
from lab.report.escaping import annotation, annotation_property
from lab.score import refusal

Row = Mapping[str, Any]
#: Relative path and line of the rules of a detector for an analytic; the path is empty where it is not known.
Place = tuple[str, int]


def commands(card: Row, found: Sequence[Case], places: Mapping[tuple[str, str], Place]) -> bytes:
    """The lines, UTF-8. ``places`` by detector and analytic, of files below the working directory only."""
    lines = [*_errors(card, found), *_warnings(found, places), *_notices(card)]
    return "".join(f"{line}\n" for line in lines).encode()


def _errors(card: Row, found: Sequence[Case]) -> Iterator[str]:
    if stop := refusal(card):
        yield _line("error", "no evidence", stop)
    for case in found:
        if case.status == "failed":
            yield _line("error", f"failed: {case.name}", f"{_where(case)}: {case.why}. Again: {case.command}")


def _warnings(found: Sequence[Case], places: Mapping[tuple[str, str], Place]) -> Iterator[str]:
    for case in found:
        if case.status == "missed":
            told = f"{_where(case)}: {case.why}. Again: {case.command}"
            place = places.get((case.detector, case.analytic), ("", 0))
            yield _line("warning", f"missed: {case.name}", told, place)


def _notices(card: Row) -> Iterator[str]:
    tested = cells(card)
    for row in card["blind_spots"]:
        if (row["detector"], row["view"]) in tested:
            many = row["incidents"] + row["unsupported_incidents"]
            told = f"{row['detector']}, {row['view']}: all {many} {row['why']}"
            yield _line("notice", f"blind spot: {row['analytic']} {row['behaviour']}", told)
    keys = ("detector", "view", "analytic", "package")
    alarms = Counter(tuple(row[key] for key in keys) for row in card["false_alarms"])
    for (name, view, analytic, package), count in sorted(alarms.items(), key=lambda item: (-item[1], str(item[0]))):
        if (name, view) in tested:
            told = f"{name}, {view}: {count} of {analytic} from {package or 'an unknown app'}"
            yield _line("notice", f"false alarms: {package or 'unknown'}", told)


def _where(case: Case) -> str:
    return f"{case.analytic or 'trial'} in {case.scenario}, seed {case.seed}, {case.detector}, {case.view}"


def _line(level: str, title: str, message: str, place: Place = ("", 0)) -> str:
    about = f"title={annotation_property(title)}"
    if place[0]:
        about = f"file={annotation_property(place[0])},line={place[1]},{about}"
    return f"::{level} {about}::{annotation(message)}"
