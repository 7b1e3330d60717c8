"""A scenario file made after a capture: read, measured, written; or the candidates, where it must be said which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.contract import Advance, EvidenceError
from lab.authoring.from_capture import Candidate, Wanted, candidates, listing, one_of
from lab.authoring.from_capture_text import Source, kind_of, text_of
from lab.catalogue.listing import write_scenario


@dataclass(frozen=True)
class Imitation:
    """What became of it: the file and whom it imitates, or None and the candidates to choose from."""

    path: Path | None
    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    behaviour: str | None

    def to_json(self) -> dict[str, Any]:
        """The result of ``scenario new --from-capture --json``, schema version 1."""
        return {
            "schema_version": 1,
            "path": str(self.path) if self.path else None,
            "behaviour": self.behaviour,
            "measured": self.chosen.to_json() if self.chosen else None,
            "candidates": [one.to_json() for one in self.candidates],
        }

    def listing(self) -> str:
        """The candidates in lines."""
        return listing(self.candidates)

    def told(self) -> str:
        """What to do now."""
        if self.path is None or self.chosen is None:
            worth = sum(one.worth for one in self.candidates)
            return f"{worth} of {len(self.candidates)} candidates keep a law: name one with --peer, --device and --app"
        doubt = "" if self.chosen.worth else ". Its gaps follow no law well: the nearest was taken"
        group, law = self.chosen.group, self.chosen.law
        who = f"{group.device} to {group.peer}: {len(group.times)} contacts, {law.name}, error {law.error:.1%}"
        return f"{who}{doubt}. Answer each QUESTION in it, then: droidrange scenario check {self.path}"


def propose(
    capture: Path, place: Path, wanted: Wanted, *, label: str, allow_partial: bool, advance: Advance
) -> Imitation:
    """Writes the scenario proposed after a capture to ``place``, if it is plain whom to imitate.

    Raises EvidenceError, with the next command, where the capture is damaged or has nobody to measure; ScenarioError
    where nobody is as ``wanted``.
    """
    from lab.detection import read

    try:
        telemetry = read(capture, allow_partial=allow_partial, advance=advance)
        found = candidates(telemetry, wanted)
    except EvidenceError as fault:
        raise EvidenceError(f"{fault}. Look into it: droidrange inspect {capture} --allow-partial") from fault
    chosen = one_of(found, wanted)
    if chosen is None:
        return Imitation(None, None, tuple(found), None)
    source = Source(capture.name, telemetry.span, label, telemetry.partial)
    path = write_scenario(place, text_of(place.stem, chosen, source))
    return Imitation(path, chosen, tuple(found), kind_of(chosen, label))
