"""Explanations on request: an incident, or somebody named, put to a detector as who, where and when.

Only here does truth become a question, and nothing of it goes further than About: no label, no setting, no twin. Beside
the question stands which analytic is asked for, as an analyst would ask it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from detector.contract import ANALYTICS, Detector, Finding, Telemetry
from detector.explanation import About, Explanation, Witnessed, witnessed
from lab.detection import Look
from lab.scoring.matching import judge
from lab.truth import Truth, TruthIncident

WORDS = ("all", "missed")
UNKNOWN = "-"  # in a place: the app is not known, or any
SHOWN = 8  # devices that are named where an unknown one was asked about
PLACE = "DEVICE/PACKAGE[/PEER], - for any package"


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


def explain_looks(looks: Iterable[Look], word: str, *, allow_partial: bool) -> list[Answer]:
    """What every detector answers to that word about every input; LookupError if the word means nothing there."""
    answers = []
    for look in looks:
        truth = truth_at(look.path, allow_partial=allow_partial)
        for one in look.detectors:
            own = [finding for finding in look.findings if finding.detector == one.name]
            asked = questions(word, look.telemetry, truth, own)
            answers += explain(one, look.telemetry, asked, own, source=str(look.path))
    return answers


def explain_missed(one: Detector, telemetry: Telemetry, truth: Truth, findings: Sequence[Finding]) -> list[Answer]:
    """The answer for every incident that these findings of the detector raise no alert on: each false negative."""
    return explain(one, telemetry, questions("missed", telemetry, truth, findings), findings)


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


def questions(word: str, telemetry: Telemetry, truth: Truth | None, findings: Sequence[Finding]) -> list[Question]:
    """What a word asks: one incident, ``all``, those ``missed`` by these findings, or a place; LookupError if nothing.

    A place without a peer is asked about under both analytics, one with a peer under AN1793, which alone knows peers.
    """
    if truth is not None:
        known = {one.incident: one for one in truth.incidents}
        if word in WORDS:
            hits = _hit(truth, findings, telemetry.view) if word == "missed" else set()
            return [_of_incident(one, truth) for name, one in known.items() if name not in hits]
        if word in known:
            return [_of_incident(known[word], truth)]
    return _of_place(word, telemetry, truth)


def truth_at(path: Path, *, allow_partial: bool) -> Truth | None:
    """The truth of a recording; None for a capture."""
    if not (path / "recording.json").exists():
        return None
    from lab.recording import open_recording

    return open_recording(path, allow_partial=allow_partial).truth()


def _hit(truth: Truth, findings: Sequence[Finding], view: str) -> Collection[str]:
    verdicts = judge(truth, findings, view)
    return {one.incident.incident for one in verdicts if one.incident is not None and one.finding.alert}


def _of_incident(one: TruthIncident, truth: Truth) -> Question:
    further = tuple(address for address, name in truth.further.items() if name == one.device)
    address = (truth.devices[one.device],) if one.device in truth.devices else ()
    peers = one.peers if one.analytic == "AN1793" else ()
    devices = (one.device, *address, *further)
    return Question(About(one.analytic, devices, one.uid, one.package, peers, one.start, one.end), one.incident)


def _of_place(word: str, telemetry: Telemetry, truth: Truth | None) -> list[Question]:
    known = [one.incident for one in truth.incidents] if truth else []
    device, slash, rest = word.partition("/")
    package, _, peer = rest.partition("/")
    vague = not slash or not device or not package
    if truth is None and vague:
        raise LookupError(f"--explain: found '{word}', expected {PLACE}: a capture has no truth to name incidents")
    near = get_close_matches(word, known, n=1, cutoff=0.3 if vague else 0.9)
    if vague or near:
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise LookupError(f"--explain: found '{word}', expected an incident, 'missed', 'all', or {PLACE}{hint}")
    name = truth.device_name(device) if truth else None
    if name is None:
        _seen(device, telemetry)
    devices = [device] if truth is None or name is None else [device, name, truth.devices[name]]
    app = None if package == UNKNOWN else package
    return [
        Question(About(analytic, tuple(dict.fromkeys(devices)), None, app, (peer,) if peer else (), *telemetry.span))
        for analytic in (ANALYTICS[:1] if peer else ANALYTICS)
    ]


def _seen(device: str, telemetry: Telemetry) -> None:
    """LookupError if no table of the telemetry holds the device."""
    columns = {"flows": "device", "dns": "client", "device_state": "device", "packages": "device"}
    tables = [(telemetry[table], column) for table, column in columns.items() if table in telemetry]
    known = sorted({text for table, column in tables for text in table[column].unique().to_pylist() if text})
    if device in known:
        return
    near = get_close_matches(device, known, n=1, cutoff=0.3)
    shown = ", ".join(known[:SHOWN]) + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise LookupError(f"--explain: found device '{device}', expected one of {shown or 'none: no device is seen'}{hint}")
