"""A gate from its files: what is judged, by what, against what, and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import ScenarioError
from lab.gate.defaults import default_settings
from lab.gate.evidence import read_card
from lab.gate.outcome import Outcome, outcome
from lab.gate.selection import Card
from lab.gate.settings import Settings, settings_for
from lab.gate.verdicts import judged
from lab.running.phase import Phase, in_silence


@dataclass(frozen=True)
class Gate:
    """An outcome, and whether nobody had written down what to ask for."""

    outcome: Outcome
    defaults: bool


def gate_of(
    scorecard: Path,
    *,
    baseline: Path | None = None,
    config: Path | None = None,
    thresholds: Sequence[str] = (),
    folder: Path | None = None,
    phase: Phase = in_silence,
) -> Gate:
    """The gate of a run folder or scorecard; settings are looked for in ``folder``, by default the current one.

    Raises ScenarioError with every fault of the settings, FileNotFoundError for a config that is not there, and
    EvidenceError for a scorecard or baseline that is missing, damaged or no evidence.
    """
    settings = settings_for(config, thresholds, folder or Path())
    before = baseline or (settings.baseline if settings else None)
    if settings and not before:
        _refuse_alone(settings)
    card = Card(read_card(scorecard, phase), str(scorecard))
    old = Card(read_card(before, phase), str(before)) if before else None
    chosen = settings or default_settings(card, old)
    return Gate(outcome(chosen, card, old, judged(chosen, card, old)), defaults=settings is None)


def _refuse_alone(settings: Settings) -> None:
    """Thresholds that compare with a baseline, where none is given, are a fault of the asker, not of the evidence."""
    alone = [one for one in settings.thresholds if one.level != "off" and (one.patch or one.kind != "absolute")]
    if alone:
        raise ScenarioError(
            [f"{settings.source}: {one.text!r} compares with a baseline; give --baseline SCORECARD" for one in alone]
        )
