"""The scorecard as tables on a terminal: what was found, what it cost, what stayed unseen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.report import words
from lab.report.boundary_terminal import tables
from lab.report.ladder import Json, Ladder, ladder, subjects, twins
from lab.score import CONTROLS, Scorecard, refusal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WORST = 8  # false alarms and blind spots named; the report has the rest


def print_scorecard(card: Scorecard, console: Console | None = None) -> None:
    """Prints the scorecard to stdout, or to the console given; colour only where that is a terminal."""
    from rich.text import Text

    from lab.console import screen

    out, content = console or screen(), card.to_json()
    out.print(_totals(content))
    for name in subjects(content, CONTROLS):
        steps = ladder(content, name)
        if steps.rows:
            out.print()
            out.print(_ladder(steps))
    for drawn in tables(content, subjects(content, CONTROLS)):
        out.print()
        out.print(drawn)
    out.print()
    told = (words.setting, _unseen, _held_out, _too_easy, _false_alarms, _background, _blind_spots, _vouched, _unscored)
    for line in (line for lines in told for line in lines(content)):
        out.print(Text(words.plain(line)))
    if stop := refusal(content):
        out.print(Text(stop, style="bold red"))
    out.print(Text(words.CLAIM, style="dim"))


def _totals(card: Json) -> Table:
    trials = ", ".join(f"{count} {status}" for status, count in card["trials"].items())
    seeds = f"{card['seeds']} seed" + ("" if card["seeds"] == 1 else "s")
    heads = ["detector,\nview", "analytic", "recall\n95 %", "false alarms /d\n95 %", "AP", "time to\ndetect p50"]
    table = _table(f"suite {card['suite']}, {seeds}; trials: {trials}", heads)
    for name, whole in card["detectors"].items():
        views = sorted(whole["views"].items(), key=lambda item: words.ladder_order(item[0]))
        for view, cell in views[:1] if name in CONTROLS else views:  # the rest is in scorecard.json
            for analytic, found in cell["analytics"].items():
                numbers = _numbers(found) if found["trials"]["scored"] else [words.CANNOT_JUDGE]
                _row(table, [f"{name},\n{view}", analytic, *numbers])
            if not cell["analytics"]:
                _row(table, [f"{name},\n{view}", "-", "no score"])
    return table


def _ladder(steps: Ladder) -> Table:
    heads = ["", *(words.plain(view).replace("-", "-\n", 1) for view in steps.views)]
    table = _table(f"incidents detected by {steps.detector}, and false alarms per device-day", heads, gap=0)
    for analytic, behaviour, rungs in steps.rows:
        _row(table, [f"{analytic}\n{behaviour}", *(rung.text.replace(" ", "\n") for rung in rungs)])
    for analytic, rungs in steps.costs:
        _row(table, [f"{analytic} alarms", *(rung.text for rung in rungs)])
    return table


def _numbers(found: Json) -> list[str]:
    """Recall, false alarms per device-day, AP, time: a number above its interval, never without its n."""
    alarms = f"{words.rate(found['false_alarms_per_device_day'])} in {words.rate(found['device_days'])} d"
    hidden = f"\n{words.unseen(found)}" if found["unseen"] else ""
    return [
        f"{words.share(found['recall'])} of {found['incidents']}\n{words.share_interval(found['recall_ci'])}{hidden}",
        f"{alarms}\n{words.rate_interval(found['fa_ci'])}",
        words.rate(found["pr_auc"]),
        words.duration(found["time_to_detect_s"]["p50"]),
    ]


def _unseen(card: Json) -> list[str]:
    return [words.UNSEEN] if any(row["verdict"] == "unseen" for row in card["incidents"]) else []


def _held_out(card: Json) -> list[str]:
    return words.held_out(card.get("held_out", ()))


def _too_easy(card: Json) -> list[str]:
    """Where a control that knows one thing does as well as the best detector: the suite proves nothing there."""
    lines = [words.too_easy(row) for row in card.get("suite_too_easy", ())]
    return lines[:WORST] + _more(len(lines), "places where the suite is too easy")


def _false_alarms(card: Json) -> list[str]:
    """Who is blamed wrongly, the most often blamed first; a long list of one app is one line."""
    tested = subjects(card, CONTROLS)
    blamed: dict[tuple[str, ...], list[float]] = {}
    for row in card["false_alarms"]:
        if row["detector"] in tested:
            app = f"{row['package'] or 'unknown app'} ({row['category'] or 'unknown'})"
            blamed.setdefault((row["detector"], row["view"], row["analytic"], app, row["kind"]), []).append(
                row["score"]
            )
    ordered = sorted(blamed.items(), key=lambda item: (words.ladder_order(item[0][1]), -len(item[1]), item[0]))
    lines = [
        f"false alarm: {analytic} {app}, {kind}: {len(scores)} up to score {max(scores):.2f} ({detector}, {view})"
        for (detector, view, analytic, app, kind), scores in ordered[:WORST]
    ]
    return lines + _more(len(ordered), "apps with false alarms")


def _background(card: Json) -> list[str]:
    """Alerts on the traffic that a merged recording held before, apart from all that is right or wrong."""
    tested = subjects(card, CONTROLS)
    return [
        f"background, neither right nor wrong: {row['analytic']} {row['alerts']} on {row['devices']} of the capture's "
        f"hosts ({row['detector']}, {row['view']})"
        for row in card.get("background", ())
        if row["detector"] in tested
    ][:WORST]


def _blind_spots(card: Json) -> list[str]:
    rows = card["blind_spots"]
    lines = [
        f"blind spot: {row['analytic']} {row['behaviour']} under view {row['view']} ({row['detector']}: {row['why']})"
        for row in rows[:WORST]
    ]
    return lines + _more(len(rows), "blind spots")


def _vouched(card: Json) -> list[str]:
    """Pairs of twins that the inventory tells apart, each under the widest view."""
    lines = []
    for name in subjects(card, CONTROLS):
        apart = twins(card, name)
        for scenario, twin, analytic, rungs in apart.rows:
            if rungs[0].text.endswith("*") and (said := apart.inventory.get((scenario, twin))):
                auc = f"AUC {rungs[0].text.rstrip('*')} under view {apart.views[0]}"
                lines.append(f"told apart by inventory: {analytic} {scenario} and {twin} ({said}; {name}, {auc})")
    return lines[:WORST] + _more(len(lines), "pairs told apart by inventory")


def _unscored(card: Json) -> list[str]:
    rows = [row for row in card["unscored"] if row["status"] == "failed"]
    lines = [
        f"failed: {row['scenario']}, seed {row['seed']}, {row['detector']}, view {row['view']}: {row['reason']}"
        for row in rows[:WORST]
    ]
    return lines + _more(len(rows), "failed trials")


def _more(count: int, what: str) -> list[str]:
    return [f"... and {count - WORST} more {what}: see the report"] if count > WORST else []


def _table(title: str, heads: Iterable[str], *, gap: int = 1) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(words.plain(title)),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, gap, 0, 0),
    )
    for column, head in enumerate(heads):
        table.add_column(Text(head), overflow="fold", no_wrap=column > 0)
    return table


def _row(table: Table, cells: Iterable[str]) -> None:
    from rich.text import Text

    table.add_row(*(Text("\n".join(map(words.plain, cell.split("\n")))) for cell in cells))
