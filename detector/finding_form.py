"""The form of one object of findings.jsonl: every key, what it must hold, and what a wrong one is told.

Part of the contract, kept in a file of its own. It checks a row by itself and knows neither telemetry nor truth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from sys import float_info
from typing import Any

SEVERITIES = ("informational", "low", "medium", "high")
TIMES = ("first_seen", "last_seen", "decided_at")
ABSENT = object()
LARGEST = float_info.max  # not infinite, and no integer that a double cannot hold
Fits = Callable[[Any], bool]

_LONE = re.compile("[\ud800-\udfff]")  # half a pair: JSON can say it, UTF-8 cannot


def _text(value: object) -> bool:
    return isinstance(value, str) and not _LONE.search(value)


def _text_or_null(value: object) -> bool:
    return value is None or _text(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _unit(value: Any) -> bool:
    return _number(value) and 0.0 <= value <= 1.0


def _uid(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


_TEXT = ("text", _text)
_TIME = ("RFC 3339 text such as 2026-03-02T00:00:00Z", _text)
_REASON: Mapping[str, tuple[str, Fits]] = {
    "feature": _TEXT,
    "value": ("a finite number, text or null", lambda value: _number(value) or _text_or_null(value)),
    "expected": _TEXT,
    "weight": ("a finite number", _number),
    "text": _TEXT,
}


def form(analytics: Iterable[str]) -> Mapping[str, tuple[str, Fits]]:
    """What each key must hold, in words and as a test; the order is that in which faults are told."""
    known = tuple(analytics)
    return {
        "analytic": (f"one of {', '.join(known)}", lambda value: value in known),
        "device": _TEXT,
        "uid": ("a whole number or null", _uid),
        "package": ("text or null", _text_or_null),
        "peer": ("text or null", _text_or_null),
        **dict.fromkeys(TIMES, _TIME),
        "score": ("a number from 0 to 1", _unit),
        "alert": ("true or false", lambda value: isinstance(value, bool)),
        "severity": (f"one of {', '.join(SEVERITIES)}", lambda value: value in SEVERITIES),
        "detector": _TEXT,
        "detector_version": _TEXT,
        "reasons": ("a list", lambda value: isinstance(value, list | tuple)),
        "partial": ("true or false", lambda value: isinstance(value, bool)),
    }


#: Keys that may be absent, and what they are then.
DEFAULTS: Mapping[str, Any] = {"uid": None, "package": None, "peer": None, "reasons": (), "partial": False}


def formed(row: Mapping[str, Any], analytics: Iterable[str]) -> dict[str, Any]:
    """The row's known keys with defaults filled in; ValueError with key, found and expected of the first fault.

    Other keys are left out: ``input`` and whatever else a tool adds is its own business. In a reason they are faults.
    """
    if not isinstance(row, Mapping):
        raise ValueError(f"finding: found {row!r}, expected an object")  # noqa: TRY004 - a bad value in a file
    whole = {name: _fitting(name, {**DEFAULTS, **row}, *rule) for name, rule in form(analytics).items()}
    for number, reason in enumerate(whole["reasons"], 1):
        if not isinstance(reason, Mapping) or set(reason) != set(_REASON):
            found = sorted(reason, key=str) if isinstance(reason, Mapping) else reason
            raise ValueError(f"reasons, number {number}: found {found!r}, expected an object of {', '.join(_REASON)}")
        for name, rule in _REASON.items():
            _fitting(name, reason, *rule, within=f"reasons, number {number}, ")
    return whole


def check_order(times: Mapping[str, int], row: Mapping[str, Any]) -> None:
    """Refuses times (microseconds) that end or are decided before they begin; ``row`` has them as they were written."""
    for later in ("last_seen", "decided_at"):
        if times[later] < times["first_seen"]:
            raise ValueError(f"{later}: found {row[later]!r}, expected no time before first_seen {row['first_seen']!r}")


def _fitting(name: str, row: Mapping[str, Any], expected: str, fits: Fits, within: str = "") -> Any:
    value = row.get(name, ABSENT)
    if value is ABSENT or not fits(value):
        found = "nothing" if value is ABSENT else repr(value)
        raise ValueError(f"{within}{name}: found {found}, expected {expected}")
    return value
