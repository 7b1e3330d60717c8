"""Two runs or scorecards compared: A as it was, B as it is, and what became of it.

Refused where a difference would mean little. A run folder is proved by its hashes first, as for a gate; what is no
evidence is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.contract import SCHEMA_VERSION
from lab.comparing.changes import ALPHA, Change, changes
from lab.comparing.overlap import ANYWAY, Common, common
from lab.errors import EvidenceError
from lab.gate.evidence import read_card
from lab.gate.selection import Card
from lab.running.phase import Phase, in_silence


@dataclass(frozen=True)
class Comparison:
    """Every change between two scorecards. ``bars`` are not empty where it was compared anyway."""

    both: Common
    changes: tuple[Change, ...]
    alpha: float = ALPHA

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "a": _about(self.both.before),
            "b": _about(self.both.now),
            "alpha": self.alpha,
            "same_recordings": self.both.same_recordings,
            "differences_beside_detectors": list(self.both.bars),
            "notes": list(self.both.notes),
            "detectors": _versions(self.both),
            "changes": [one.to_json() for one in self.changes],
        }


def compare(before: Path, now: Path, *, anyway: bool = False, phase: Phase = in_silence) -> Comparison:
    """The comparison of two run folders or scorecards.

    EvidenceError if either is no evidence, nothing is in both, or, unless ``anyway``, suites, versions, stages, fleets,
    pasts or scenarios differ, so that a difference need not be the detector's.
    """
    cards = [Card(read_card(path, phase), str(path)) for path in (before, now)]
    return compared(*cards, anyway=anyway)


def compared(before: Card, now: Card, *, anyway: bool = False) -> Comparison:
    """The comparison of two scorecards; see ``compare``."""
    both = common(before, now)
    if both.bars and not anyway:
        raise EvidenceError(
            f"A {before.name} and B {now.name} differ in more than detectors: {'; '.join(both.bars)}; {ANYWAY}"
        )
    if not both.cells:
        raise EvidenceError(
            f"A {before.name} and B {now.name} have no detector and view in common: {_names(before, now)}"
        )
    if not both.now.scenarios:
        raise EvidenceError(f"A {before.name} and B {now.name} have no scenario in common")
    return Comparison(both, tuple(changes(both)))


def _names(*cards: Card) -> str:
    told = [" and ".join(sorted(card.content["detectors"])) for card in cards]
    return f"A has {told[0]}, B has {told[1]}"


def _about(card: Card) -> dict[str, Any]:
    content = card.content
    software: Mapping[str, Any] = content["evidence"]["software"]
    rows: Sequence[Mapping[str, Any]] = content["judgements"]
    seeds = len({row["seed"] for row in rows})
    scenarios = len(card.scenarios)
    about = {"scorecard": card.name, "suite": content["suite"], "droidrange": software["droidrange"]}
    return {**about, "scenarios_compared": scenarios, "seeds_compared": seeds}


def _versions(both: Common) -> list[dict[str, Any]]:
    """The version of each detector compared, then and now."""
    old, new = (card.content["evidence"].get("detectors", {}) for card in (both.before, both.now))
    names = dict.fromkeys(name for name, _ in both.cells)
    return [{"detector": name, "a": old.get(name), "b": new.get(name)} for name in names]
