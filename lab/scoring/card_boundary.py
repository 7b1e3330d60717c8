"""The shape of a scorecard's ``boundary``: one map for each detector, view, analytic and behaviour. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CLOSED = ConfigDict(extra="forbid")
Count = Annotated[int, Field(ge=0)]


class Axis(BaseModel):
    """What was turned; durations in seconds. The second axis of a map of one is "all", with that one value."""

    model_config = CLOSED
    name: str
    unit: str
    values: list[bool | float | str]


class BoundaryCell(BaseModel):
    """Found of the incidents of that cell; of 0 where none was judged."""

    model_config = CLOSED
    x: bool | float | str
    y: bool | float | str
    found: Count
    of: Count


class Crossing(BaseModel):
    """Two neighbouring cells, of which one is at or above the line and the other below."""

    model_config = CLOSED
    x: Annotated[list[bool | float | str], Field(min_length=2, max_length=2)]
    y: Annotated[list[bool | float | str], Field(min_length=2, max_length=2)]


class LimitPoint(BaseModel):
    """A point of the curve beyond which timing alone finds less than half (lab/scoring/timing_limit.py)."""

    model_config = CLOSED
    x: float
    y: bool | float | str


class Boundary(BaseModel):
    """How much a detector finds of a behaviour as one or two settings are turned."""

    model_config = CLOSED
    detector: str
    view: str
    analytic: Literal["AN1793", "AN1702"]
    behaviour: str
    x: Axis
    y: Axis
    cells: list[BoundaryCell]
    half: Annotated[list[Crossing], Field(description="where recall crosses 50 %")]
    most: Annotated[list[Crossing], Field(description="where recall crosses 95 %")]
    limit: list[LimitPoint]
