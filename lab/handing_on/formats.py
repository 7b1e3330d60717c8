"""The formats of recordings and findings by name, what each is of, and their files written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import EvidenceError

if TYPE_CHECKING:
    from lab.handing_on.source import Part, Source

RECORDING, SCORECARD = "a recording", "scorecard"
#: Of each format of a recording its file in this package, which has ``parts(Source) -> Iterator[Part]``.
FORMATS: Mapping[str, str] = {
    "zeek-labeled": "zeek_labeled",
    "suricata-verify": "suricata_verify",
    "ocsf": "ocsf",
    "attack-data": "attack_data",
    "eve": "eve",
    "stix": "stix",
    "ecs": "ecs",
    "evidence": "evidence",
}


def kind_of(path: Path) -> str:
    """What a path is: a recording (a folder with recording.json), or else a scorecard."""
    return RECORDING if (path / "recording.json").exists() else SCORECARD


def refuse(path: Path, kind: str, names: Iterable[str]) -> None:
    """LookupError, with the formats that fit, for a format that what stands at the path does not have."""
    from lab.exporting import FORMATS as OF_SCORECARDS

    known = {SCORECARD: tuple(OF_SCORECARDS), RECORDING: tuple(FORMATS)}
    for name in names:
        if name in known[kind]:
            continue
        owner = next((one for one, formats in known.items() if name in formats), None)
        word = "a scorecard" if kind == SCORECARD else kind
        if owner is None:
            raise LookupError(f"unknown format '{name}': known of {word} are {', '.join(known[kind])}")
        need = {SCORECARD: "a run folder or its scorecard.json", RECORDING: "a folder with recording.json"}[owner]
        found = word if kind != SCORECARD else "none"
        raise LookupError(f"format '{name}' is of {need}; {path} is {found}. Of {word}: {', '.join(known[kind])}")


def hand_on(made: Source, names: tuple[str, ...], out: Path) -> list[Path]:
    """Writes the formats into the new folder ``out``, each in a folder of its name if there are several."""
    from lab.store import folder_in_the_making, write_atomic

    written: list[Path] = []
    with folder_in_the_making(out) as making:
        for name in names:
            before = len(written)
            for part in parts_of(name)(made):
                place = Path(name) / part.name if len(names) > 1 else Path(part.name)
                (making / place).parent.mkdir(parents=True, exist_ok=True)
                write_atomic(making / place, part.content)
                written.append(out / place)
            if len(written) == before:
                raise EvidenceError(
                    f"{made.recording.folder} has nothing to hand on as {name}: found no flow, no finding"
                )
    return written


def parts_of(name: str) -> Callable[[Source], Iterable[Part]]:
    """Who writes the files of a format."""
    found: Callable[[Source], Iterable[Part]] = import_module(f"lab.handing_on.{FORMATS[name]}").parts
    return found
