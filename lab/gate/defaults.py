"""What a gate asks for where nobody wrote down anything: said in full, and never nothing that can be broken.

Without a baseline: each detector under test ranks better than every control, for each analytic that the suite has
incidents of, under the widest view of the run; its false alarms are held against the run's own budget as a warning.
With one: nothing is lost on the same recordings; on others nothing is worse than chance allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.gate.grammar import SUBJECTS, parse
from lab.gate.pairs import paired
from lab.gate.selection import Card, Row
from lab.gate.settings import Settings
from lab.report.words import ladder_order
from lab.scoring.controls import CONTROLS

SOURCE = "defaults (no gate.toml, no [tool.droidrange.gate])"
WORDS = {analytic: word for word, analytic in SUBJECTS.items() if word != analytic}


def default_settings(card: Card, baseline: Card | None) -> Settings:
    """The thresholds for this scorecard; none if it has no detector under test, or no incident to find."""
    lines = [*_absolute(card), *(comparing(card, baseline) if baseline else ())]
    return Settings(tuple(parse(line) for line in lines), SOURCE)


def _absolute(card: Card) -> Iterator[str]:
    for name, whole in card.content["detectors"].items():
        if name in CONTROLS:
            continue
        view = min(whole["views"], key=ladder_order)
        place = f'{{detector="{name}", view="{view}"}}'
        for analytic in _analytics(card.incidents.get((name, view), [])):
            yield f"{WORDS[analytic]}.pr_auc{place} > controls"
        yield f"warn false_alarms_per_device_day{place} <= budget"


def comparing(card: Card, baseline: Card) -> Iterator[str]:
    """The lines that compare with a baseline: for each detector, view and analytic that the baseline has."""
    for name, whole in baseline.content["detectors"].items():
        if name in CONTROLS:
            continue
        for view in whole["views"]:
            before = baseline.judgements.get((name, view), [])
            now = card.judgements.get((name, view), [])
            kind = "no-loss" if paired(card, baseline, now, before).same else "no-regression"
            place = f'{{detector="{name}", view="{view}"}}'
            for analytic in _analytics(baseline.incidents.get((name, view), [])):
                yield f"{WORDS[analytic]}.recall{place} {kind}"
            yield f"false_alarms_per_device_day{place} {kind}"


def _analytics(rows: Sequence[Row]) -> list[str]:
    """The analytics of which the view shows an incident."""
    return sorted({row["analytic"] for row in rows if row["verdict"] != "unseen"}, reverse=True)
