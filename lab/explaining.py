"""Explanations on request: a word becomes questions, and detectors answer them (lab/running/answers.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from detector.contract import ANALYTICS, Detector, Finding, Telemetry
from detector.explanation import About
from lab.detection import Look
from lab.running.answers import Answer, Question, explain, of_incident
from lab.scoring.matching import judge
from lab.truth import Truth

__all__ = ["Answer", "Question", "explain", "explain_looks", "explain_missed", "questions", "truth_at"]

WORDS = ("all", "missed")
UNKNOWN = "-"  # in a place: the app is not known, or any
SHOWN = 8  # devices that are named where an unknown one was asked about
PLACE = "DEVICE/PACKAGE[/PEER], - for any package"


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


def questions(word: str, telemetry: Telemetry, truth: Truth | None, findings: Sequence[Finding]) -> list[Question]:
    """What a word asks: one incident, ``all``, those ``missed`` by these findings, or a place; LookupError if nothing.

    A place without a peer is asked about under both analytics, one with a peer under AN1793, which alone knows peers.
    """
    if truth is not None:
        known = {one.incident: one for one in truth.incidents}
        if word in WORDS:
            hits = _hit(truth, findings, telemetry.view) if word == "missed" else set()
            return [of_incident(one, truth) for name, one in known.items() if name not in hits]
        if word in known:
            return [of_incident(known[word], truth)]
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
