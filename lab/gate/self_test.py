"""Proof that the gate can break: regressions planted one after the other, each of which it must find and name.

Exit 1 is what is wanted here, as from any gate that looks at a regression. 3 if one passed unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detector.contract import SCHEMA_VERSION
from lab.errors import EvidenceError, ScenarioError
from lab.gate.defaults import comparing
from lab.gate.faults import faults
from lab.gate.grammar import parse
from lab.gate.outcome import BROKEN, HELD, NO_EVIDENCE, Outcome, outcome
from lab.gate.planting import KINDS, Planted, plant, targets
from lab.gate.selection import Card, Row
from lab.gate.settings import Settings
from lab.gate.specimen import card_of, specimen
from lab.gate.verdicts import judged
from lab.running.phase import Phase, in_silence
from lab.running.run import evidence, load_run, read_run
from lab.score import score
from lab.scoring.controls import CONTROLS
from lab.scoring.outcomes import TrialResult


@dataclass(frozen=True)
class Caught:
    """One planted regression: what had to be named, whether it was, and by which threshold."""

    kind: str
    name: str
    scenario: str
    seed: int
    exit_code: int
    by: str

    @property
    def caught(self) -> bool:
        """Whether the gate broke, and named it."""
        return self.exit_code == BROKEN and bool(self.by)


@dataclass(frozen=True)
class SelfTest:
    """What came of all of them."""

    rows: tuple[Caught, ...]

    @property
    def exit_code(self) -> int:
        """1 if every one was caught, else 3: a gate that lets one pass is no evidence of anything."""
        return BROKEN if self.rows and all(one.caught for one in self.rows) else NO_EVIDENCE

    def lines(self) -> Iterator[str]:
        """A line for each, and what follows."""
        for one in self.rows:
            said = f"broken by {one.by}" if one.caught else f"NOT CAUGHT (exit {one.exit_code})"
            yield f"{one.kind}: {one.name} ({one.scenario}, seed {one.seed}): {said}"
        caught = sum(one.caught for one in self.rows)
        yield f"self-test: {caught} of {len(self.rows)} planted regressions broke the gate and were named"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        rows = [{**asdict(one), "caught": one.caught} for one in self.rows]
        return {"schema_version": SCHEMA_VERSION, "exit_code": self.exit_code, "planted": rows}


def self_test(folder: Path | None = None, phase: Phase = in_silence) -> SelfTest:
    """Each kind of regression planted in that run, or in a specimen of a run; EvidenceError if none can be.

    ScenarioError for a scorecard without its run: regressions are planted in findings, and scored.
    """
    if folder is not None and not folder.is_dir():
        raise ScenarioError([f"{folder}: regressions are planted in findings; give a run folder, or nothing"])
    trials, about = (specimen(), None) if folder is None else (load_run(folder), read_run(folder))
    chosen = targets(trials)
    if not chosen:
        raise EvidenceError(f"{folder}: no detector under test detected anything, so no regression can be planted")
    baseline = _card(trials, about)
    if (same := gate_between(baseline, baseline)).exit_code != HELD:
        raise EvidenceError(f"the gate does not hold against itself (exit {same.exit_code})")
    rows = []
    with phase("self-test") as advance:
        for number, kind in enumerate(KINDS):
            advance(number, len(KINDS))
            planted = plant(kind, trials, chosen[number * len(chosen) // len(KINDS)])
            rows.append(caught(planted, gate_between(_card(planted.trials, about), baseline)))
    return SelfTest(tuple(rows))


def gate_between(card: Card, baseline: Card) -> Outcome:
    """The gate of all comparisons, delays included, of a scorecard with a baseline."""
    if wrong := faults(card.content):
        raise EvidenceError("; ".join(wrong[:3]))
    found = sorted({cell for cell, rows in baseline.incidents.items() if _under_test(cell) and _hits(rows)})
    delays = [f'time_to_detect_p90{{detector="{name}", view="{view}"}} no-loss' for name, view in found]
    lines = [*comparing(card, baseline), *delays]
    settings = Settings(tuple(parse(line) for line in lines), "self-test")
    return outcome(settings, card, baseline, judged(settings, card, baseline))


def _under_test(cell: tuple[str, str]) -> bool:
    return cell[0] not in CONTROLS


def _hits(rows: Sequence[Row]) -> bool:
    return any(row["verdict"] == "detected" for row in rows)


def caught(planted: Planted, found: Outcome) -> Caught:
    """Whether a broken threshold names what was planted, where it was planted."""
    by = [
        one.threshold.text
        for one in found.verdicts
        if one.status == "broken"
        and any(
            planted.name in row.name and (row.scenario, row.seed) == (planted.scenario, planted.seed)
            for row in one.named
        )
    ]
    place = (planted.kind, planted.name, planted.scenario, planted.seed)
    return Caught(*place, found.exit_code, by[0] if by else "")


def _card(trials: Sequence[TrialResult], about: dict[str, Any] | None) -> Card:
    if about is None:
        return Card(card_of(trials))
    made = score(trials, suite=about["suite"], seeds=len(about["seeds"]), budget=about["budget"])
    return Card(json.loads(json.dumps({**made.to_json(), "evidence": evidence(about)})))
