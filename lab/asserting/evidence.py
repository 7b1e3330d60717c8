"""What a test may conclude from: a scorecard proved to be evidence, and the thresholds and baseline of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.asserting.quantity import CardUnderTest
from lab.errors import EvidenceError
from lab.gate.evidence import read_card
from lab.gate.faults import faults
from lab.gate.settings import Settings, settings_for

Row = Mapping[str, Any]


def card_under_test(content: Row, detector: str, view: str) -> CardUnderTest | str:
    """The card of that detector and view, or why it can judge nothing there; EvidenceError for what is no evidence."""
    counts = content["detectors"][detector]["views"][view]["trials"]
    reasons = [row["reason"] for row in content["unscored"] if (row["detector"], row["view"]) == (detector, view)]
    if counts["unsupported"] and not counts["scored"] and not counts["failed"]:
        return f"{detector}, {view}: unsupported: {reasons[0]}"
    if found := faults(content):
        raise EvidenceError("; ".join([*found[:3], *dict.fromkeys(reasons[:3])]))
    return CardUnderTest(content, detector, view)


def settings_of(config: Path | None) -> tuple[Settings | None, Row | None]:
    """The thresholds of that file, and the scorecard it compares with; ScenarioError, FileNotFoundError."""
    settings = settings_for(config, (), config.parent) if config else None
    return settings, read_card(settings.baseline) if settings and settings.baseline else None
