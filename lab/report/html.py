"""The report as one self-contained HTML page; the same scorecard gives the same bytes.

Names come from hostile packets: templates are autoescaped and quote every attribute, data reaches the script as JSON
whose texts it only ever makes text nodes of, and a content security policy allows one style sheet and two scripts, by
their hashes: ours and vendor/vega-embed.js, whose interpreter needs no ``eval``. Nothing is fetched; links lead to
sections of the page. Never add ``|safe``, ``Markup``, an address or an inline style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.report import words
from lab.report.alarms import alarms
from lab.report.boundary import maps
from lab.report.drill import Answers, cases, packed
from lab.report.gaps import gaps
from lab.report.ladder import Json, ladder, subjects, twins
from lab.report.sides import SIGNS, TOLD, blind, sides
from lab.report.strips import Strip
from lab.report.telling import in_a_line, telling
from lab.score import CONTROLS, LISTED_AT_MOST, refusal

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

FOLDER = Path(__file__).parent
SCRIPTS = ("vendor/vega-embed.js", "report.js")
VERDICT_CLASS = {"detected": "hit", "missed": "miss", "unseen": "soft"}


def render(
    card: Json,
    *,
    provenance: Mapping[str, str] | None = None,
    strips: Sequence[Strip] = (),
    answers: Answers | None = None,
    lacking: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The page of a scorecard (its JSON), with what made it, and of its incidents strips and detectors' answers.

    ``lacking``: what is to be said of recordings with tables that hold nothing. All but the card may be left out.
    """
    tested, told = subjects(card, CONTROLS), answers or {}
    some, borders = cases(card, tested, told), maps(card, tested)
    drawn = packed(some, strips, told)
    data = {**drawn, "sides": sides(card), "boundaries": [one.plot for one in borders]}
    shown = {"cases": some, "boundaries": borders, "alarms": alarms(card, tested), "gaps": gaps(card, tested)}
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            **_frame(card, tested),
            **shown,
            data={**data, "budget": card["budget_per_device_day"], "detectors": _colours(card, tested)},
            left_out=drawn["left_out"],
            pictured_seed=min((strip.seed for strip in strips), default=None),
            lacking=lacking or {},
            provenance=list((provenance or {}).items()),
        )
    )


def _frame(card: Json, tested: Sequence[str]) -> dict[str, Any]:
    """What the tables and the words around them are made of."""
    return {
        "card": card,
        "claim": words.CLAIM,
        "attribution": words.ATTRIBUTION,
        "refusal": refusal(card),
        "style_sha256": _hash("report.css"),
        "scripts": [_hash(name) for name in SCRIPTS],
        "subjects": tested,
        "ladders": {name: ladder(card, name) for name in tested},
        "twins": {name: twins(card, name) for name in tested},
        "blind": blind(card, tested),
        "signs": SIGNS,
        "signs_told": TOLD,
        "verdict_class": VERDICT_CLASS,
        "cannot_judge": words.CANNOT_JUDGE,
        "controls": CONTROLS,
        "unseen": words.UNSEEN,
        "held_out": words.held_out(card.get("held_out", ())),
        "setting": words.setting(card),
        "too_easy": [words.too_easy(row) for row in card.get("suite_too_easy", ())],
        "listed_at_most": LISTED_AT_MOST,
    }


def _colours(card: Json, tested: Sequence[str]) -> list[str]:
    """The detectors in the order of their colours: those under test first."""
    return [words.plain(name) for name in (*tested, *(one for one in sorted(card["detectors"]) if one not in tested))]


@cache
def environment() -> Environment:
    """The template's environment: escaped, strict about names, its values stripped of control characters."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        loader=_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":"), "allow_nan": False}
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


def _loader() -> BaseLoader:
    """Templates as they are; every other file as text that is no template, without its last line break."""
    from jinja2 import FileSystemLoader

    class Loader(FileSystemLoader):
        def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
            text, path, fresh = super().get_source(environment, template)
            if not template.endswith(".jinja"):
                text = f"{{% raw %}}{text.rstrip()}{{% endraw %}}"
            return text, path, fresh

    return Loader(FOLDER)


def _hash(name: str) -> str:
    """SHA-256 of a file as it stands in the page, in base64 as a content security policy has it."""
    text = (FOLDER / name).read_bytes().rstrip()
    return base64.b64encode(hashlib.sha256(text).digest()).decode()


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
