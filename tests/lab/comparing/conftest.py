"""Two scorecards that nobody played: as it was, and spoiled or mended in scenarios of one's choice."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lab.gate.selection import Card
from lab.gate.specimen import card_of, specimen


def trials(seed=1, lost=(), late=(), noise=(), count=12):
    """The specimen's first trials without findings, later, or with an alarm more, in those scenarios (by number)."""
    made = []
    for number, one in enumerate(specimen(seed)[:count]):
        found = () if number in lost else one.findings
        if number in late:
            found = tuple(replace(it, decided_at=it.decided_at + 3_600_000_000) for it in found)
        if number in noise:
            found = (*found, replace(one.findings[0], package="com.example.news", uid=10103, peer="feed.example"))
        made.append(replace(one, findings=found))
    return made


def content(software="specimen", **how):
    card = card_of(trials(**how))
    card["evidence"]["software"]["droidrange"] = software
    return json.loads(json.dumps(card))


@pytest.fixture(scope="session")
def made():
    """made.content(seed, lost, late, noise, count, software), made.card(...), and rename(content, detector)."""

    def rename(card, name):
        for part in ("incidents", "false_alarms", "blind_spots", "judgements", "unscored"):
            for row in card[part]:
                row["detector"] = name
        card["detectors"] = {name: card["detectors"]["specimen"]}
        return card

    return SimpleNamespace(
        content=content, card=lambda name="x", **how: Card(content(**how), name), rename=rename, trials=trials
    )
