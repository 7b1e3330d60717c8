"""Scorecards that nobody played, for every test of the gate."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lab.gate.grammar import parse
from lab.gate.outcome import outcome
from lab.gate.selection import Card
from lab.gate.settings import Settings
from lab.gate.specimen import DETECTOR, card_of, specimen
from lab.gate.verdicts import judged


def spoiled(trials, lost=(), noise=()):
    """The trials without what was said in those scenarios, and with an alarm more for each scenario in ``noise``."""
    made = []
    for one in trials:
        found = () if one.scenario in lost else one.findings
        more = [
            replace(one.findings[0], package="com.example.news", uid=10103, peer=f"{number}.feed.example")
            for number, name in enumerate(noise)
            if name == one.scenario
        ]
        made.append(replace(one, findings=(*found, *more)))
    return made


def gate(card, *lines, baseline=None, **settings):
    """The outcome of these thresholds."""
    asked = Settings(tuple(parse(line) for line in lines), "test", **settings)
    cards = [Card(one) if isinstance(one, dict) else one for one in (card, baseline)]
    return outcome(asked, cards[0], cards[1], judged(asked, *cards))


@pytest.fixture(scope="session")
def gates():
    """gates.card(trials), gates.trials(seed), gates.spoiled(...), gates.gate(card, *lines, baseline=...)."""
    return SimpleNamespace(
        card=card_of,
        trials=specimen,
        spoiled=spoiled,
        gate=gate,
        detector=DETECTOR,
        scenario=lambda number: f"specimen-{number:02d}",
    )
