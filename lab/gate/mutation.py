"""Mutation of a detector's configuration: which of its values decide anything on the recordings of a run.

What can be moved or removed without a verdict changing is not tested by the suite, or does nothing at all: either is
worth knowing before trusting a green gate. A value moved by a quarter may still matter elsewhere.
"""

from __future__ import annotations

import fnmatch
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.contract import SCHEMA_VERSION, Finding, open_telemetry
from detector.contract import detector as detector_named
from lab.errors import EvidenceError, ScenarioError
from lab.gate.mutants import Mutant, mutants
from lab.running.attempt import Ended, attempt
from lab.running.learning import lessons
from lab.running.look import Found, look, neutral
from lab.running.phase import Phase, in_silence
from lab.running.run import read_run, recording_of
from lab.running.workers import in_order
from lab.scoring.outcomes import TrialResult, outcomes
from lab.truth import Truth

if TYPE_CHECKING:
    from detector.contract import Baseline

STATUSES = ("verdicts", "scores", "nothing", "refused", "failed")
BUNDLED = {"builtin": "thresholds.toml"}  # of detectors that bring their configuration along, in detector/
WEIGHT = {"nothing": 0, "scores": 1, "verdicts": 2, "failed": 3}


@dataclass(frozen=True)
class Mutated:
    """What became of one mutant over all recordings.

    ``status``: ``verdicts`` or only ``scores`` differ, ``nothing`` does, the detector ``refused`` it, or ``failed``.
    """

    place: str
    change: str
    status: str
    lost: int = 0
    gained: int = 0
    alarms: int = 0  # more, or fewer if below 0
    reason: str = ""  # for which it failed


@dataclass(frozen=True)
class Mutation:
    """What became of all."""

    detector: str
    view: str
    recordings: int
    rows: tuple[Mutated, ...]

    @property
    def idle(self) -> list[str]:
        """The places of which no mutant that was accepted changes a verdict."""
        kinds: dict[str, set[str]] = {}
        for row in self.rows:
            kinds.setdefault(row.place, set()).add(row.status)
        return [place for place, found in kinds.items() if not found & {"verdicts", "failed"} and found != {"refused"}]

    def lines(self) -> Iterator[str]:
        """What to read: what changes nothing first, then the rest in numbers."""
        counts = Counter(row.status for row in self.rows)
        for status, said in (("nothing", "changes nothing here"), ("scores", "changes scores, no verdict")):
            for row in self.rows:
                if row.status == status:
                    yield f"{said}: {row.place}: {row.change}"
        for row in self.rows:
            if row.status == "verdicts":
                told = f"{row.lost} lost, {row.gained} gained, {row.alarms:+d} alarms"
                yield f"decides: {row.place}: {row.change}: {told}"
            if row.status == "failed":
                yield f"FAILS: {row.place}: {row.change}: {row.reason}"
        yield f"{len(self.idle)} values decide nothing here: {', '.join(self.idle) or 'none'}"
        told = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
        yield f"mutants of {self.detector} ({self.view}) on {self.recordings} recordings: {told}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        head = {"schema_version": SCHEMA_VERSION, "detector": self.detector, "view": self.view}
        return {**head, "recordings": self.recordings, "mutants": [asdict(row) for row in self.rows], "idle": self.idle}


def mutation(
    run: Path, detector: str, view: str = "full", *, only: str = "*", phase: Phase = in_silence, workers: int = 0
) -> Mutation:
    """Every mutant of the detector's configuration (``NAME:FILE``) whose place is like ``only``, on a run's recordings.

    Of a run with --learn, each knows what was learned there. Raises ScenarioError for a detector without a file;
    EvidenceError if a recording is not that of the run, or if the unchanged detector fails, or says nothing at all, so
    that nothing could change.
    """
    content = read_run(run)
    source = _file(detector)
    made = [one for one in _mutants(source) if fnmatch.fnmatchcase(one.place, only)]
    with tempfile.TemporaryDirectory(prefix="") as folder, phase(f"mutate {source.name}") as advance:
        named = [_kept(Path(folder), detector, number, one, source.suffix) for number, one in enumerate(made)]
        fit = [name if attempt(lambda name=name: detector_named(name)).value else "" for name in named]  # type: ignore[misc]  # a default binds it now
        jobs = [(place, detector, tuple(fit), view) for place in _places(run, content)]
        found = []
        for done, rows in enumerate(in_order(case, jobs, lost=_lost, workers=workers or os.cpu_count() or 1), 1):
            found.append(rows)
            advance(done, len(jobs))
    if not any(rows.said for rows in found):
        raise EvidenceError(f"{detector} says nothing on these recordings: nothing it is told could change that")
    return Mutation(detector, view, len(jobs), tuple(_summed(one, number, found) for number, one in enumerate(made)))


@dataclass(frozen=True)
class Place:
    """A recording of a run, and the past it learned from, if it did: folders and the hashes that they must have."""

    recording: Path
    digest: str
    past: Path | None = None
    past_digest: str = ""


def _places(run: Path, content: Mapping[str, Any]) -> list[Place]:
    """The recordings of a run; EvidenceError if it learned, and of one it is not known from what."""
    pasts = content.get("pasts", {})
    places = []
    for name, digest in sorted(content["recordings"].items()):
        if "learn_s" not in content:
            places.append(Place(run / "recordings" / name, digest))
        elif name in pasts:
            places.append(Place(run / "recordings" / name, digest, run / "pasts" / name, pasts[name]))
        else:
            raise EvidenceError(f"{run}: what was learned before {name} was not recorded; run it again")
    return places


@dataclass(frozen=True)
class Case:
    """What the unchanged detector and each mutant said of one recording; None of a mutant that was refused."""

    said: bool
    rows: tuple[Mutated | None, ...]


def case(place: Place, detector: str, names: Sequence[str], view: str) -> Case:
    """All mutants on one recording, against the unchanged detector; EvidenceError if that one fails."""
    opened = recording_of(place.recording, place.digest)
    truth, known = opened.truth(), _learned(place, view)
    with neutral(open_telemetry(opened.telemetry)) as telemetry:
        seen = partial(look, view=view, telemetry=telemetry, baseline=known)
        before = attempt(lambda: seen(detector))
        if before.value is None:
            raise EvidenceError(f"{place.recording}: {detector} {before.status}: {before.reason}")
        old = before.value.findings
        rows = [_one(attempt(partial(seen, name)), truth, view, old) if name else None for name in names]
    return Case(bool(old), tuple(rows))


def _learned(place: Place, view: str) -> Baseline | None:
    """What was learned before that recording in that view, None where nothing was; EvidenceError if it cannot be."""
    past = place.past
    if past is None:
        return None
    lesson = lessons((view,), lambda: recording_of(past, place.past_digest)).of(view)
    if lesson.value is None:
        raise EvidenceError(f"{past}: learning {lesson.status}: {lesson.reason}")
    return lesson.value


def _one(ended: Ended[Found], truth: Truth, view: str, old: Sequence[Finding]) -> Mutated:
    if ended.value is None:
        return Mutated("", "", "failed", reason=ended.reason)
    new = ended.value.findings
    (hits, alarms), (were, before) = (_verdicts(truth, view, some) for some in (new, old))
    same = [_said(one) for one in new] == [_said(one) for one in old]
    status = "verdicts" if (hits, alarms) != (were, before) else "nothing" if same else "scores"
    more = alarms.total() - before.total()
    return Mutated("", "", status, len(were - hits), len(hits - were), more)


def _verdicts(truth: Truth, view: str, findings: Sequence[Finding]) -> tuple[set[str], Counter[tuple[Any, ...]]]:
    trial = TrialResult(truth.scenario, truth.seed, "", view, "", "scored", truth=truth, findings=tuple(findings))
    met, strays = outcomes(trial)
    alarms = Counter((one.device, one.finding.package, one.finding.peer) for one in strays if one.finding.alert)
    return {one.incident.incident for one in met if one.hit}, alarms


def _said(finding: Finding) -> dict[str, Any]:
    """A finding as it is told, apart from who says so: two configurations may carry two versions."""
    return {key: value for key, value in finding.to_json().items() if key != "detector_version"}


def _summed(one: Mutant, number: int, cases: Sequence[Case]) -> Mutated:
    rows = [found for each in cases if (found := each.rows[number]) is not None]
    if not rows:
        return Mutated(one.place, one.change, "refused")
    worst = max((row.status for row in rows), key=WEIGHT.__getitem__)
    reason = next((row.reason for row in rows if row.reason), "")
    lost, gained, alarms = (sum(getattr(row, name) for row in rows) for name in ("lost", "gained", "alarms"))
    return Mutated(one.place, one.change, worst, lost, gained, alarms, reason)


def _file(detector: str) -> Path:
    name, _, argument = detector.partition(":")
    if not argument and name in BUNDLED:
        return Path(str(files("detector") / BUNDLED[name]))
    if not Path(argument).is_file():
        raise ScenarioError([f"--detector: found {detector!r}, expected NAME:FILE with the file to be mutated"])
    return Path(argument)


def _mutants(source: Path) -> list[Mutant]:
    try:
        return list(mutants(source.read_text(encoding="utf-8"), toml=source.suffix == ".toml"))
    except ValueError as fault:
        raise ScenarioError([f"{source}: {fault}"]) from None


def _kept(folder: Path, detector: str, number: int, one: Mutant, suffix: str) -> str:
    path = folder / f"{number:04d}{suffix}"
    path.write_text(one.text, encoding="utf-8")
    return f"{detector.partition(':')[0]}:{path}"


def _lost(job: tuple[Any, ...], reason: str) -> Case:
    raise EvidenceError(f"{job[0].recording}: {reason}")
