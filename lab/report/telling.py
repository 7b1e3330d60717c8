"""Which of a finding's reasons a person should read first, and how one is said in a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Reason = Mapping[str, Any]  # an object of ``reasons`` in findings.jsonl


def telling(reasons: Sequence[Reason], most: int = 5) -> list[Reason]:
    """The detector's own first reason, then those whose value times weight is largest; unknown and 0 are left out.

    >>> rows = [{"value": 300, "weight": 0}, {"value": 0, "weight": 1}, {"value": None, "weight": 1}]
    >>> telling([*rows, {"value": 0.5, "weight": 0.1}, {"value": 0.4, "weight": 0.9}])[1:]
    [{'value': 0.4, 'weight': 0.9}, {'value': 0.5, 'weight': 0.1}]
    """
    rest = [reason for reason in reasons[1:] if _pull(reason) > 0]
    return [*reasons[:1], *sorted(rest, key=_pull, reverse=True)][:most]


def in_a_line(reason: Reason) -> str:
    """The reason with its value and what is expected of the innocent.

    >>> in_a_line({"feature": "mode_share", "value": 0.98, "expected": "below 0.5", "text": "equal gaps"})
    'mode_share 0.98 (below 0.5): equal gaps'
    """
    if not _is_number(reason["value"]):
        return str(reason["text"])
    return f"{reason['feature']} {reason['value']:g} ({reason['expected']}): {reason['text']}"


def _pull(reason: Reason) -> float:
    return min(float(reason["value"]), 1.0) * reason["weight"] if _is_number(reason["value"]) else 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
