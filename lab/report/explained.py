"""Explanations in the terminal: what became of whom, every factor with what it carries, and what would have fired.

Rows in, text out: an answer comes as the object that --json prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.console import plural, printable, screen
from lab.report.telling import in_a_line, telling

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, Any]
COLUMNS = (("value", 10), ("weight", 9), ("contribution", 9))
OUTCOMES = {
    "alert": "ALERT",
    "below": "below the threshold",
    "excused": "reached the threshold, and is allowed",
    "excepted": "no alert by a documented exception",
    "too-few": "too few contacts to be judged",
    "not-grouped": "seen, but in no group that is judged",
    "unseen": "not in this telemetry",
    "silent": "no finding",
}


def print_explained(answers: Sequence[Row]) -> None:
    """Every answer on stdout, one after another."""
    console = screen()
    for number, answer in enumerate(answers):
        if number:
            console.print()
        _say(console, "\n".join(_head(answer)), style="bold")
        for line in _body(answer):
            _say(console, f"  {line}")
        for line in (*_factors(answer["factors"] or ()), *_reasons(answer), *_change(answer)):
            _say(console, f"  {line}")
    if not answers:
        console.print("nothing to explain: every incident has an alert")


def _say(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    if text:
        console.print(Text(printable(text), style=style), soft_wrap=True)


def _head(answer: Row) -> Iterable[str]:
    about = answer["about"]
    where = f"{about['devices'][0]}/{about['package'] or '-'}"
    who = answer["incident"] or "/".join([where, *about["peers"][:1]])
    yield f"{who}: {answer['analytic']} by {answer['detector']}, view {answer['view']}"
    yield f"{OUTCOMES[answer['outcome']]}"


def _body(answer: Row) -> Iterable[str]:
    seen = answer["seen"]
    if answer["text"]:
        yield answer["text"]
    elif not answer["explains"]:
        found = "what it found stands below" if answer["findings"] else "it found nothing here"
        yield f"{answer['detector']} cannot explain itself; {found}"
    else:
        yield f"{answer['detector']} does not judge {answer['analytic']} here, or cannot explain it"
    rows = ", ".join(plural(seen[name], name.removesuffix("s")) for name in ("flows", "exchanges", "lookups"))
    yield f"the telemetry holds {rows} of it".replace("lookup", "look-up")


def _factors(factors: Sequence[Row]) -> Iterable[str]:
    """Those that stand in the score, what each carries first; then what else was measured, and what is unknown."""
    if factors:
        yield f"{'factor':<22}{'value':>10}{'weight':>9}{'carries':>9}  expected of the innocent"
    for one in factors:
        if one["contribution"] is not None:
            cells = "".join(f"{_number(one[name]):>{width}}" for name, width in COLUMNS)
            yield f"{one['name']:<22}{cells}  {one['expected']}".rstrip()
    known = [one for one in factors if one["contribution"] is None and one["value"] is not None]
    beside = ", ".join(f"{one['name']} {_number(one['value'])}" for one in known)
    unknown = ", ".join(one["name"] for one in factors if one["value"] is None)
    yield from (f"{what}: {names}" for what, names in (("beside", beside), ("unknown", unknown)) if names)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _reasons(answer: Row) -> Iterable[str]:
    """What its findings say, of a detector that does not explain itself; exceptions and expiries of any."""
    for finding in answer["findings"]:
        mark = "ALERT" if finding["alert"] else "near miss"
        if answer["text"] is None:
            yield f"{mark}, score {finding['score']:.2f}, {finding['peer'] or 'no peer'}"
            yield from (f"  {in_a_line(reason)}" for reason in telling(finding["reasons"]))
        else:
            yield from (one["text"] for one in finding["reasons"] if one["feature"].startswith("exception"))


def _change(answer: Row) -> Iterable[str]:
    if answer["counterfactual"]:
        yield f"smallest change: {answer['counterfactual']['text']}"
    if answer["together"]:
        yield f"only together: {'; '.join(one['text'] for one in answer['together'])}"
