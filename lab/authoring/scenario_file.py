"""The tables of a scenario file and of a suite file as pydantic reads them, with every fault in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from lab.authoring.fields import (
    Category,
    Delay,
    LeftOut,
    Moment,
    Name,
    Offset,
    Package,
    ProfileName,
    Question,
    Span,
    Start,
    Word,
)
from lab.behaviours import nearest

MOST_DEVICES = 100_000
_CLOSED = ConfigDict(extra="forbid", strict=True, frozen=True)


class BoundsTable(BaseModel):
    """How much of something there must be; a bound that everything keeps is refused, for it would prove nothing."""

    model_config = _CLOSED
    at_least: float | None = Field(None, ge=0, allow_inf_nan=False)
    at_most: float | None = Field(None, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _bounding(self) -> Self:
        if not self.at_least and self.at_most is None:
            raise ValueError("found no bound, expected at_least (more than 0), at_most or both")
        if self.at_most is not None and (self.at_least or 0) > self.at_most:
            raise ValueError(f"found at_least {self.at_least:.12g}, which is more than at_most {self.at_most:.12g}")
        return self


class ExpectTable(BaseModel):
    """``[[expect]]``: what the recording must show of a behaviour, for each app and device that has it."""

    model_config = _CLOSED
    behaviour: Word
    package: str = ""
    contacts: BoundsTable | None = None
    conversations: BoundsTable | None = None
    bytes: BoundsTable | None = None

    @model_validator(mode="after")
    def _expecting(self) -> Self:
        if not self.bounds():
            raise ValueError("found no bound, expected contacts, conversations or bytes")
        return self

    def bounds(self) -> dict[str, tuple[float | None, float | None]]:
        """The bounds given, by what they bound."""
        given = {"contacts": self.contacts, "conversations": self.conversations, "bytes": self.bytes}
        return {name: (table.at_least, table.at_most) for name, table in given.items() if table is not None}


class BehaviourTable(BaseModel):
    """``[[app.behaviour]]``: a kind, perhaps a label, and the settings of that kind."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: str
    label: Literal["AN1793", "AN1702"] | None = None


class AppTable(BaseModel):
    """``[[app]]``."""

    model_config = _CLOSED
    package: Package
    category: Category
    label: str | None = None
    roles: list[Word] = []
    sanctioned: bool = False
    exempt: bool = False
    on: int | None = Field(None, ge=1)
    installed: Moment | None = None
    removed: Moment | None = None
    moves: Moment | None = None
    behaviour: list[BehaviourTable] = []


class LibraryBehaviour(BaseModel):
    """``[[behaviour]]`` of a library app: a kind and its settings, a range ``{ from = , to = }`` where it is drawn."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: str


class LibraryTable(BaseModel):
    """A file of scenarios/apps/: one ordinary app, and how many phones have it."""

    model_config = _CLOSED
    package: Package
    category: Category
    popularity: float = Field(gt=0, le=1, allow_inf_nan=False)
    label: str | None = None
    roles: list[Word] = []
    sanctioned: bool = False
    exempt: bool = False
    managed: bool = False
    behaviour: list[LibraryBehaviour] = Field(min_length=1)


class BackgroundTable(BaseModel):
    """``[background]``: how many apps of the library every phone has besides."""

    model_config = _CLOSED
    apps: int = Field(ge=1, le=40)
    categories: list[Category] = []
    without: list[LeftOut] = []


class StateTable(BaseModel):
    """``[state]``: whose day the phones live, one profile for all or several dealt out in turns, and their networks.

    ``networks``: ``wifi``, always at home; ``mobile``, always on the mobile network; ``roaming``, as the profile goes.
    ``offsets``: of the phones' clocks from UTC, such as "+05:30", dealt out in turns; none changes it while away.
    """

    model_config = _CLOSED
    profile: ProfileName = "office-worker"
    profiles: list[ProfileName] = []
    networks: Literal["wifi", "mobile", "roaming"] = "wifi"
    private_dns: bool = False
    vpn: bool = False
    offsets: Annotated[list[Offset], Field(min_length=1)] = ["+00:00"]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.profiles and "profile" in self.model_fields_set:
            raise ValueError("found both profile and profiles, expected one of them")
        return self


class NetworkTable(BaseModel):
    """``[network]``: what the phones' networks are like; see lab.network. All off by default.

    ``loss``: share of packets lost each way, in runs of ``burst`` packets on average. ``rtt``: added to every round
    trip, and up to ``jitter`` more. ``mtu``: of the phones' interfaces, bytes (1280: least of IPv6, RFC 8200).
    ``ipv6``: share of named hosts that have IPv6 too, and phones with them. ``clat``: a mobile network of IPv6 alone.
    """

    model_config = _CLOSED
    loss: Annotated[float, Field(ge=0, le=0.1, allow_inf_nan=False)] = 0.0
    burst: Annotated[float, Field(ge=1, le=50, allow_inf_nan=False)] = 1.0
    rtt: Delay = "0ms"
    jitter: Delay = "0ms"
    mtu: Annotated[int, Field(ge=1280, le=1500)] = 1500
    ipv6: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    clat: bool = False


class ScenarioTable(BaseModel):
    """A scenario file."""

    model_config = _CLOSED
    question: Question
    span: Span
    devices: int = Field(ge=1, le=MOST_DEVICES)
    twin_of: Name = ""
    start: Start | None = None
    state: StateTable = StateTable()
    network: NetworkTable = NetworkTable()
    background: BackgroundTable = BackgroundTable.model_construct(apps=0)
    app: list[AppTable] = Field(min_length=1)
    expect: list[ExpectTable] = []


class SuiteTable(BaseModel):
    """A suite file: the scenarios that answer one larger question."""

    model_config = _CLOSED
    question: Question
    scenarios: list[Name] = Field(min_length=1)


Table = TypeVar("Table", bound=BaseModel)


def faults_of(model: type[Table], document: Mapping[str, Any]) -> tuple[Table | None, list[str]]:
    """The document as that model, or None and every fault with its place, counted from 1."""
    try:
        return model.model_validate(document), []
    except ValidationError as found:
        return None, [_fault(model, error) for error in found.errors()]


def _fault(model: type[BaseModel], error: ErrorDetails) -> str:
    places: list[str] = []
    for part in error["loc"]:
        if isinstance(part, int):
            places[-1] = f"{places[-1]} {part + 1}"
        else:
            places.append(str(part))
    *outer, last = places
    prefix = "".join(f"{place}: " for place in [", ".join(outer)] if place)
    if error["type"] == "extra_forbidden":
        known = list(_model_at(model, error["loc"][:-1]).model_fields)
        return f"{prefix}unknown field '{last}'{nearest(last, known) or '; known are ' + ', '.join(known)}"
    if error["type"] == "missing":
        return f"{prefix}field '{last}' is missing"
    message = error["msg"].removeprefix("Value error, ")
    found = "" if message.startswith(("found", "unknown")) else f"found {error['input']!r}, "
    return f"{prefix}{last}: {found}{message[0].lower() + message[1:]}"


_TABLES: Mapping[str, type[BaseModel]] = {
    "app": AppTable,
    "behaviour": BehaviourTable,
    "state": StateTable,
    "network": NetworkTable,
    "background": BackgroundTable,
    "expect": ExpectTable,
    "contacts": BoundsTable,
    "conversations": BoundsTable,
    "bytes": BoundsTable,
}


def _model_at(model: type[BaseModel], places: tuple[int | str, ...]) -> type[BaseModel]:
    names = [place for place in places if isinstance(place, str)]
    return _TABLES.get(names[-1], model) if names else model
