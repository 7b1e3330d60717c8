"""What issue 5 asks of the detector, held against a board: HELD or NOT HELD, with the numbers. It never fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.detection.board import Board, Incident, Pick, picked
from tests.bench.detection.entrants import OURS
from tests.bench.detection.shapes import LEAST_CONTACTS, STREAMS_A_MINUTE, streams_a_minute, within_band
from tests.bench.detection.splits import TEST
from tests.bench.detection.sweep import average_precision
from tests.bench.detection.tables import BUDGET, Measure, alarm_rate, found_share, measure

POLLING, RELAY = "AN1793", "AN1702"
DEVICE_DAYS = 4_600.0
RECALL, RECALL_BAND, RECALL_RELAY, RECALL_BARE = 0.85, 0.95, 0.95, 0.30


def verdicts(board: Board, rivals: Sequence[str], views: Sequence[str]) -> Iterator[str]:
    """One line for each demand that this board can answer."""
    polling, relay = (measure(board, OURS, "full", one) for one in (POLLING, RELAY))
    if polling:
        yield _held(
            "device-days of the test", polling.ranked.device_days >= DEVICE_DAYS, f"{polling.ranked.device_days:,.0f}"
        )
        yield _recall("polling, ten contacts or more", polling, _frequent, RECALL)
        yield _recall("polling, 30 s - 15 min, jitter <= 50 %", polling, _banded, RECALL_BAND)
        yield _alarms("polling", polling)
    if relay:
        yield _recall("relay, 0.3 streams a minute or more", relay, _streaming, RECALL_RELAY)
        yield _alarms("relay", relay)
    if "no-sni" in views and (bare := measure(board, OURS, "no-sni", POLLING)):
        yield _recall("polling under no-sni", bare, _frequent, RECALL_BARE)
    for view in views:
        for analytic in (POLLING, RELAY):
            yield from _above_all(board, rivals, view, analytic)


def _frequent(incident: Incident) -> bool:
    return incident.contacts >= LEAST_CONTACTS


def _banded(incident: Incident) -> bool:
    return _frequent(incident) and within_band(incident.behaviour, incident.settings)


def _streaming(incident: Incident) -> bool:
    asked = streams_a_minute(incident.settings)
    return asked is not None and asked >= STREAMS_A_MINUTE


def _recall(what: str, one: Measure, pick: Pick, needed: float) -> str:
    part = picked(one.incidents, one.ranked, pick)
    share = part.recall(one.threshold)
    return _held(
        f"recall of {what} >= {needed}", share is not None and share >= needed, found_share(part, one.threshold)
    )


def _alarms(what: str, one: Measure) -> str:
    rate = one.ranked.false_alarms(one.threshold) / max(one.ranked.device_days, 1e-9)
    return _held(
        f"false alarms of {what} <= {BUDGET * 1_000:g} per 1,000 device-days",
        rate <= BUDGET,
        alarm_rate(one.ranked, one.threshold),
    )


def _above_all(board: Board, rivals: Sequence[str], view: str, analytic: str) -> Iterator[str]:
    ours = measure(board, OURS, view, analytic)
    if ours is None or ours.precision is None:
        return
    others = {
        name: average_precision(board.ranked(name, view, analytic, TEST)[1])
        for name in rivals
        if name != OURS and board.judging(name, view, analytic, TEST)
    }
    known = {name: value for name, value in others.items() if value is not None}
    if known:
        best = max(known, key=lambda name: known[name])
        told = f"{ours.precision:.3f}, the best other is {best} with {known[best]:.3f}"
        yield _held(f"PR-AUC of {analytic} above every other detector, view {view}", ours.precision > known[best], told)


def _held(what: str, holds: bool, told: str) -> str:
    return f"{'HELD' if holds else 'NOT HELD'}: {what}: {told}"
