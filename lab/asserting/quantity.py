"""A scorecard to be asserted on: its numbers, which know what counts against them when a limit is not met. Pure.

Rows are chosen and measured as the gate does, by the same code. What cannot be measured has no number: to compare it
raises EvidenceError, whatever the limit, so that no assertion holds about nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import Any

from lab.errors import EvidenceError
from lab.gate.grammar import SIZES, Threshold, amount, quantity
from lab.gate.measures import Measured, measured
from lab.gate.selection import Card
from lab.gate.verdicts import against, nothing
from lab.gate.words import measurement, names
from lab.report.words import plain

ENDS = {"_max": "<=", "_min": ">=", "_not": "!="}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SPECIAL = set(",|<>=!'{}")


@dataclass(frozen=True, eq=False)
class Quantity:
    """A measured number of one detector and view; compare it with a number, "90%", "2h" or another."""

    card: Card
    cell: tuple[str, str]
    threshold: Threshold

    @cached_property
    def measured(self) -> Measured:
        """The value, its interval of 95 %, and what it rests on."""
        return measured(self.card, self.threshold, self.cell)

    def __float__(self) -> float:
        value = self.measured.value
        if value is None:
            why = nothing(self.card, self.threshold, self.cell)
            raise EvidenceError(plain(f"{self._name}: {why}: neither met nor missed"))
        return value

    def __bool__(self) -> bool:
        raise TypeError(f"{self._name} is neither true nor false: compare it with a limit")

    def __lt__(self, other: object) -> bool:
        return self._compared("<", other)

    def __le__(self, other: object) -> bool:
        return self._compared("<=", other)

    def __gt__(self, other: object) -> bool:
        return self._compared(">", other)

    def __ge__(self, other: object) -> bool:
        return self._compared(">=", other)

    def __eq__(self, other: object) -> bool:
        return self._compared("==", other)

    def __ne__(self, other: object) -> bool:
        return self._compared("!=", other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        if self.measured.value is None:
            return plain(f"{self._name}: {nothing(self.card, self.threshold, self.cell)}")
        return plain(f"{self._name}: {measurement(self.measured, self.threshold.metric)}")

    def explained(self, op: str, limit: object) -> list[str]:
        """Why it does not compare so with the limit: the measured value, and by name what counts against it."""
        metric = self.threshold.metric
        lines = [f"{self.threshold.text} {op} {limit} [{', '.join(self.cell)}]"]
        lines += [f"measured {measurement(self.measured, metric)}", *filter(None, [self.measured.note])]
        better = (">", ">=", "==") if metric.rises else ("<", "<=", "==")
        if op in better and metric.name not in SIZES and isinstance(limit, NUMBERS):
            bad = against(self.card, self.threshold, self.cell, self._number(limit))
            named = "\n".join(map(plain, names(bad, len(bad))))
            lines += dedent(named).split("\n") if named else []
        return [plain(line) for line in lines]

    @property
    def _name(self) -> str:
        return f"{self.threshold.text} [{', '.join(self.cell)}]"

    def _compared(self, op: str, other: object) -> bool:
        if not isinstance(other, NUMBERS):
            return bool(_COMPARE[op](float(self), other))
        return _COMPARE[op](float(self), self._number(other))

    def _number(self, other: object) -> float:
        if isinstance(other, str):
            return amount(other, self.threshold.metric.unit)
        return float(other)  # type: ignore[arg-type]  # whatever is no number says so itself


#: What a quantity is compared with by its number; whatever else (pytest.approx) compares itself with that.
NUMBERS = (int, float, str, Quantity)


@dataclass(frozen=True)
class CardUnderTest:
    """The scorecard of one detector under one view.

    Conditions are the gate's, by name: ``period_max="15m"``, ``jitter_min=0.3``, ``behaviour="http-poll"``,
    ``protocol=("dns", "https")``, ``category_not="tools"``. ValueError for one that cannot be, EvidenceError for one
    that no incident here has.
    """

    content: Mapping[str, Any]
    detector: str
    view: str

    def recall(self, analytic: str | None = None, **conditions: Any) -> Quantity:
        """The share detected of the incidents that the view shows."""
        return self.quantity("recall", analytic, **conditions)

    def recall_of_all(self, analytic: str | None = None, **conditions: Any) -> Quantity:
        """The share detected of all incidents, whether the view shows them or not."""
        return self.quantity("recall_of_all", analytic, **conditions)

    def false_alarms_per_device_day(self, analytic: str | None = None, **conditions: Any) -> Quantity:
        """False alarms per device-day that was judged."""
        return self.quantity("false_alarms_per_device_day", analytic, **conditions)

    def time_to_detect(self, analytic: str | None = None, *, percentile: int = 90, **conditions: Any) -> Quantity:
        """Seconds from an incident's start to the alert, of those detected: a percentile from 1 to 99."""
        return self.quantity(f"time_to_detect_p{percentile}", analytic, **conditions)

    def pr_auc(self, analytic: str) -> Quantity:
        """The average precision of one analytic over the whole suite."""
        return self.quantity("pr_auc", analytic)

    def quantity(self, metric: str, analytic: str | None = None, **conditions: Any) -> Quantity:
        """Any metric of the gate (docs/gate.md)."""
        chosen = ", ".join(_condition(name, value) for name, value in conditions.items())
        text = (f"{analytic}." if analytic else "") + metric + (f"{{{chosen}}}" if chosen else "")
        asked, card = quantity(text), Card(self.content)
        if unknown := sorted({one.key for one in asked.filters} - card.keys):
            raise EvidenceError(f"{text}: no incident here has a {', '.join(unknown)}")
        return Quantity(card, (self.detector, self.view), asked)


def _condition(name: str, value: object) -> str:
    end = next((end for end in ENDS if name.endswith(end)), "")
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    told = "|".join(sorted(map(_word, values)) if isinstance(value, set | frozenset) else map(_word, values))
    return f"{name.removesuffix(end)}{ENDS.get(end, '=')}{told}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text}"' if _SPECIAL & set(text) else text
