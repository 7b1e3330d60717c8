"""A query: one rule as a statement with its parameters, and for whom its rows speak. A value, passed as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: The parameter that says how much must be counted, in queries that count.
BAR = "bar"
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Query:
    """What a locked process is asked; ``measure`` names the result column that is worth a knob's setting, if any.

    A row's ``measure`` is the highest setting of the knob at which that row is still an alert.
    """

    rule: str
    text: str
    analytic: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    measure: str | None = None
    tables: tuple[str, ...] = ()  # those the statement reads, once it was checked
    optional: tuple[str, ...] = ()  # of these the ones that may be absent: they are then without rows

    @property
    def needs(self) -> tuple[str, ...]:
        """The tables without which it cannot be answered."""
        return tuple(name for name in self.tables if name not in self.optional)

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Query:
        """The query of such an object."""
        return cls(**{**row, "tables": tuple(row["tables"]), "optional": tuple(row["optional"])})
