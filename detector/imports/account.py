"""What became of every line of a log: a row of its own, part of another's row, or left out for a reason.

Rule: no line is lost in silence. ``lines`` equals rows + joined + everything left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from detector.contract import EvidenceError

ADVICE = "what is sound can be read with --allow-partial"


@dataclass
class Account:
    """One file. ``rows`` counts lines that became rows of a table, ``joined`` those that added to another's row."""

    path: Path
    form: str
    lines: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    joined: int = 0
    left: dict[str, int] = field(default_factory=dict)

    def leave(self, reason: str, count: int) -> None:
        """So many lines are in no table."""
        if count:
            self.left[reason] = self.left.get(reason, 0) + count

    def row(self, table: str, count: int) -> None:
        """So many lines became rows of that table."""
        if count:
            self.rows[table] = self.rows.get(table, 0) + count

    def settled(self) -> bool:
        """Whether every line is told of."""
        return self.lines == sum(self.rows.values()) + self.joined + sum(self.left.values())


@dataclass
class Faults:
    """Damage met on the way: the first is raised, or with ``allow_partial`` all of it is counted and told."""

    allow_partial: bool
    texts: list[str] = field(default_factory=list)

    def add(self, place: str, found: str, expected: str) -> None:
        """EvidenceError, unless partial evidence is allowed."""
        self.tell(f"{place}: found {found}, expected {expected}")

    def tell(self, text: str) -> None:
        """The same of a fault in words of its own."""
        if not self.allow_partial:
            raise EvidenceError(f"{text}; {ADVICE}")
        self.texts.append(text)

    def many(self, place: str, first: tuple[int, str, str], count: int) -> None:
        """The same for lines that cannot be read: the first of them is (line, found, expected)."""
        line, found, expected = first
        more = f" (and {count - 1} more such lines)" if count > 1 else ""
        self.add(f"{place}, line {line}{more}", found, expected)
