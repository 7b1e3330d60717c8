"""What may never be tuned on: families of scenarios that only tell how well a finished detector does, each with why.

The file is scenarios/held-out.toml. A family is a shape with its benign twins, so that neither side of a pair is known.
It says nothing of which scenarios are played or scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lab.authoring.fields import Name, Word
from lab.authoring.scenario_file import faults_of
from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.shelf import parse_toml, place_of, scenarios_folder, shelf

FILE = "held-out.toml"
_CLOSED = ConfigDict(extra="forbid", strict=True, frozen=True)
Named = Annotated[Name, Field(min_length=1)]


@dataclass(frozen=True)
class Family:
    """Scenarios of one shape, by name, and the reason why nobody may look at them before the end."""

    name: str
    reason: str
    scenarios: tuple[str, ...]


class FamilyTable(BaseModel):
    """``[[family]]``."""

    model_config = _CLOSED
    name: Word
    reason: str = Field(min_length=20)
    scenarios: list[Named] = Field(min_length=1)


class HeldOutTable(BaseModel):
    """The file."""

    model_config = _CLOSED
    family: list[FamilyTable] = Field(min_length=1)


def families() -> tuple[Family, ...]:
    """The families in the order of their file, none if there is no such file; ScenarioError lists all its faults."""
    path = scenarios_folder() / FILE
    if not path.is_file():
        return ()
    about = path.stat()
    return _read(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> tuple[Family, ...]:
    return parse_families(path.read_bytes(), place_of(path))


def parse_families(content: bytes, place: str) -> tuple[Family, ...]:
    """The families written in ``content``; ``place`` is the file's name in the faults of a ScenarioError."""
    table, faults = faults_of(HeldOutTable, parse_toml(content, place))
    found = [] if table is None else table.family
    members, known = [one for family in found for one in family.scenarios], [*shelf()]
    faults += [f"unknown scenario '{one}'{nearest(one, known)}" for one in dict.fromkeys(members) if one not in known]
    for what, names in (("scenario", members), ("family", [family.name for family in found])):
        again = [one for one in dict.fromkeys(names) if names.count(one) > 1]
        faults += [f"{what} '{one}' stands {names.count(one)} times" for one in again]
    if faults:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    return tuple(Family(family.name, family.reason, tuple(family.scenarios)) for family in found)


def held_out() -> frozenset[str]:
    """The names of all scenarios that may never be used for tuning; ScenarioError as ``families``."""
    return frozenset(name for family in families() for name in family.scenarios)
