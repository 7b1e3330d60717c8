"""A scorecard as Markdown: whole for a page, or short for the summary of a CI step. Pure.

Names from packets stand in code spans and every other text is escaped: nothing that was recorded becomes markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lab.report import words
from lab.report.cases import Case, cells, counted, seeds
from lab.report.escaping import markdown, markdown_code
from lab.score import refusal

Row = Mapping[str, Any]
FEW = 20  # incidents and apps named in a summary
HEADS = (
    "detector",
    "view",
    "analytic",
    "recall",
    "95 %",
    "false alarms /d",
    "95 %",
    "AP",
    "recall at budget",
    "to detect, p50",
)


def page(card: Row, found: Sequence[Case]) -> bytes:
    """The whole scorecard, UTF-8: what was measured, missed, alarmed on, not seen, not scored, and what it rests on."""
    lines = [*_head(card, 1), *_board(card), *_incidents(found, len(found)), *_alarms(card, None), *_spots(card)]
    return _joined([*lines, *_unscored(card, None), *_evidence(card), words.CLAIM, "", words.ATTRIBUTION])


def summary(card: Row, found: Sequence[Case]) -> bytes:
    """What fits the summary of a CI step, UTF-8: the numbers, and the first few of what is wrong."""
    return _joined(
        [*_head(card, 2), *_board(card), *_incidents(found, FEW), *_alarms(card, FEW), *_unscored(card, FEW)]
    )


def _joined(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _head(card: Row, level: int) -> Iterator[str]:
    counts = ", ".join(f"{count} {markdown(status)}" for status, count in card["trials"].items())
    yield f"{'#' * level} droidrange: suite {markdown_code(card['suite'])}"
    yield ""
    if stop := refusal(card):
        yield f"**{markdown(stop)}**"
        yield ""
    budget = f"{words.rate(card['budget_per_device_day'])} false alarms per device-day"
    yield f"{seeds(card)}; trials: {counts}; budget: {budget}"
    for line in (*words.setting(card), *words.held_out(card.get("held_out", ()))):
        yield ""
        yield markdown(line)
    yield ""


def _board(card: Row) -> Iterator[str]:
    """One line for each detector under test, view and analytic."""
    yield _line(HEADS)
    yield _line(["---"] * len(HEADS))
    for name, view in cells(card):
        for analytic, found in card["detectors"][name]["views"][view]["analytics"].items():
            who = (markdown_code(name), markdown_code(view), markdown(words.analytic_name(analytic)))
            yield _line([*who, *_measured(found)])
    yield ""


def _measured(found: Row) -> list[str]:
    if not found["trials"]["scored"]:
        return [words.CANNOT_JUDGE, *[""] * (len(HEADS) - 4)]
    hidden = words.unseen(found)
    return [
        f"{words.share(found['recall'])} of {found['incidents']}" + (f", {hidden}" if hidden else ""),
        words.share_interval(found["recall_ci"]),
        f"{words.rate(found['false_alarms_per_device_day'])} in {words.rate(found['device_days'])} d",
        words.rate_interval(found["fa_ci"]),
        words.rate(found["pr_auc"]),
        words.share(found["recall_at_budget"]),
        words.duration(found["time_to_detect_s"]["p50"]),
    ]


def _incidents(found: Sequence[Case], most: int) -> Iterator[str]:
    """What was missed, with the command that plays each again."""
    missed = [case for case in found if case.status == "missed"]
    count = counted(found)
    told = ", ".join(f"{number} {status}" for status, number in count.items() if number)
    yield f"Incidents, over detectors and views: {told or 'none'}."
    yield ""
    if missed:
        yield _line(("missed", "scenario", "seed", "detector, view", "why", "again"))
        yield _line(["---"] * 6)
    for case in missed[:most]:
        where = (markdown_code(case.name), markdown_code(case.scenario), str(case.seed))
        yield _line(
            (*where, markdown_code(f"{case.detector}, {case.view}"), markdown(case.why), markdown_code(case.command))
        )
    yield from _more(len(missed), most)


def _alarms(card: Row, most: int | None) -> Iterator[str]:
    """The apps behind the listed false alarms, the loudest first."""
    tested = cells(card)
    keys = ("detector", "view", "analytic", "package", "category", "kind")
    rows = [row for row in card["false_alarms"] if (row["detector"], row["view"]) in tested]
    apps = Counter(tuple(row[key] or "" for key in keys) for row in rows)
    if apps:
        yield _line(("false alarms", "app", "category", "kind", "analytic", "detector, view"))
        yield _line(["---"] * 6)
    ordered = sorted(apps.items(), key=lambda item: (-item[1], item[0]))
    for (name, view, analytic, package, category, kind), count in ordered[:most]:
        app = (markdown_code(package or "unknown"), markdown(category or "unknown"), markdown(kind), markdown(analytic))
        yield _line((str(count), *app, markdown_code(f"{name}, {view}")))
    yield from _more(len(apps), most)


def _spots(card: Row) -> Iterator[str]:
    tested = cells(card)
    for row in card["blind_spots"]:
        if (row["detector"], row["view"]) in tested:
            many = row["incidents"] + row["unsupported_incidents"]
            kind, where = markdown_code(row["behaviour"]), markdown_code(f"{row['detector']}, {row['view']}")
            yield f"- blind spot: {markdown(row['analytic'])} {kind}: all {many} {markdown(row['why'])} ({where})"
    for row in card.get("suite_too_easy", ()):
        yield f"- {markdown(words.too_easy(row))}"
    yield ""


def _unscored(card: Row, most: int | None) -> Iterator[str]:
    for row in card["unscored"][:most]:
        where = markdown_code(f"{row['scenario']}, seed {row['seed']}, {row['detector']}, {row['view']}")
        yield f"- {markdown(row['status'])}: {where}: {markdown_code(row['reason'])}"
    yield from _more(len(card["unscored"]), most)


def _evidence(card: Row) -> Iterator[str]:
    told = card["evidence"]
    software = ", ".join(f"{name} {version}" for name, version in told.get("software", {}).items())
    versions = ", ".join(f"{name} {version}" for name, version in told.get("detectors", {}).items())
    many = len(told.get("recordings", {}))
    yield f"Made with {markdown(software)}; detectors: {markdown(versions)}; {many} recordings."
    yield ""


def _more(many: int, most: int | None) -> Iterator[str]:
    if most is not None and many > most:
        yield ""
        yield f"and {many - most} more"
    if many:
        yield ""


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"
