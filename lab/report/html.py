"""The report as one HTML page without scripts, links or requests; the same scorecard gives the same bytes.

Names come from hostile packets: the template is autoescaped, quotes every attribute, links to nothing, and a content
security policy allows one style sheet, by its hash. Never add ``|safe``, ``Markup``, a URL or an inline style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.report import words
from lab.report.ladder import Json, ladder, subjects, twins
from lab.report.strips import Strip, draw
from lab.report.telling import in_a_line, telling
from lab.score import CONTROLS, LISTED_AT_MOST, refusal

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def render(card: Json, *, provenance: Mapping[str, str] | None = None, strips: Sequence[Strip] = ()) -> str:
    """The page of a scorecard (its JSON), with what made it and, if given, the timing strips of its incidents."""
    tested = subjects(card, CONTROLS)
    style = (FOLDER / "report.css").read_bytes().rstrip(b"\n")
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            card=card,
            claim=words.CLAIM,
            attribution=words.ATTRIBUTION,
            refusal=refusal(card),
            style_sha256=base64.b64encode(hashlib.sha256(style).digest()).decode(),
            subjects=tested,
            ladders={name: ladder(card, name) for name in tested},
            twins={name: twins(card, name) for name in tested},
            drawings=[draw(strip) for strip in strips],
            incidents=_by_cell(card["incidents"], tested),
            false_alarms=_by_cell(card["false_alarms"], tested),
            cannot_judge=words.CANNOT_JUDGE,
            controls=CONTROLS,
            unseen=words.UNSEEN,
            held_out=words.held_out(card.get("held_out", ())),
            setting=words.setting(card),
            too_easy=[words.too_easy(row) for row in card.get("suite_too_easy", ())],
            listed_at_most=LISTED_AT_MOST,
            provenance=list((provenance or {}).items()),
        )
    )


@cache
def environment() -> Environment:
    """The template's environment: escaped, strict about names, its values stripped of control characters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "analytic_name": words.analytic_name,
        "budget": _budget,
        "day_time": words.day_time,
        "in_a_line": in_a_line,
        "telling": lambda reasons: telling(reasons, most=4),
        "duration": words.duration,
        "rate": words.rate,
        "rate_interval": words.rate_interval,
        "share": words.share,
        "share_interval": words.share_interval,
        "unseen": words.unseen,
        "views": lambda views: sorted(views.items(), key=lambda item: words.ladder_order(item[0])),
    }
    return made


def _finalize(value: object) -> object:
    """What every {{ expression }} passes through; a macro's result is markup of our own and stays."""
    return words.plain(value) if type(value) is str else value


def _budget(found: Json, card: Json) -> str:
    budget, measured, bounds = card["budget_per_device_day"], found["false_alarms_per_device_day"], found["fa_ci"]
    if measured is None:
        return "budget: nothing measured"
    if measured > budget:
        return f"over the budget of {words.rate(budget)}"
    proof = "shown" if bounds[1] <= budget else "too few device-days to show it"
    return f"within the budget of {words.rate(budget)}: {proof}"


def _by_cell(rows: Iterable[Json], tested: Sequence[str]) -> list[tuple[tuple[str, str], list[Json]]]:
    def cell(row: Json) -> tuple[str, tuple[int, str]]:
        return row["detector"], words.ladder_order(row["view"])

    kept = sorted((row for row in rows if row["detector"] in tested), key=cell)
    groups: list[tuple[Any, list[Json]]] = [(key, list(some)) for key, some in groupby(kept, key=cell)]
    return [((name, view), some) for (name, (_, view)), some in groups]
