"""Answers of detectors: an incident, or somebody named, put to a detector as who, where and when, and what it said.

Only here does truth become a question, and nothing of it goes further than About: no label, no setting, no twin. Beside
the question stands which analytic is asked for, as an analyst would ask it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from detector.contract import Detector, Finding, Telemetry
from detector.explanation import About, Explanation, Witnessed, witnessed
from lab.truth import Truth, TruthIncident


@dataclass(frozen=True)
class Question:
    """What a detector is asked, and the incident behind it, which it is not told; None for a place that was named."""

    about: About
    incident: str | None = None


@dataclass(frozen=True)
class Answer:
    """What became of a question: the detector's own explanation, or None where it has none, and its findings on it."""

    source: str
    detector: str
    view: str
    question: Question
    explains: bool  # whether the detector can explain itself at all
    explanation: Explanation | None
    seen: Witnessed
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> str:
        """The explanation's, or what the findings alone say: excepted, alert, below or silent."""
        if any(reason.feature == "exception" for finding in self.findings for reason in finding.reasons):
            return "alert" if any(finding.alert for finding in self.findings) else "excepted"
        if self.explanation is not None:
            return self.explanation.outcome
        if not self.findings:
            return "silent"
        return "alert" if any(finding.alert for finding in self.findings) else "below"

    def to_json(self) -> dict[str, Any]:
        """The answer as an object of JSON."""
        about = self.question.about
        told = self.explanation.to_json() if self.explanation else {}
        return {
            "input": self.source,
            "detector": self.detector,
            "view": self.view,
            "incident": self.question.incident,
            "analytic": about.analytic,
            "outcome": self.outcome,
            "explains": self.explains,
            "about": vars(about),
            "seen": vars(self.seen),
            **{
                name: told.get(name) for name in ("text", "score", "threshold", "factors", "counterfactual", "together")
            },
            "findings": [finding.to_json() for finding in self.findings],
        }

    def line(self) -> str:
        """The answer as one JSON line."""
        return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False)


def explain(
    one: Detector, telemetry: Telemetry, asked: Iterable[Question], findings: Sequence[Finding], *, source: str = ""
) -> list[Answer]:
    """What the detector answers to each question; its findings about it stand beside."""
    method = getattr(one, "explain", None)
    return [
        Answer(
            source=source,
            detector=one.name,
            view=telemetry.view,
            question=question,
            explains=method is not None,
            explanation=method(telemetry, question.about) if method else None,
            seen=witnessed(telemetry, question.about),
            findings=tuple(finding for finding in findings if question.about.concerns(finding)),
        )
        for question in asked
    ]


def of_incident(one: TruthIncident, truth: Truth) -> Question:
    """What is asked about an incident: who, where and when, by all the names a sensor may know them by."""
    further = tuple(address for address, name in truth.further.items() if name == one.device)
    address = (truth.devices[one.device],) if one.device in truth.devices else ()
    peers = one.peers if one.analytic == "AN1793" else ()
    devices = (one.device, *address, *further)
    return Question(About(one.analytic, devices, one.uid, one.package, peers, one.start, one.end), one.incident)
