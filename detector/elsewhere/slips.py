"""Slips' alerts: IDEA0 objects of alerts.json, and IDMEFv2 which follows them, a JSON object a line.

Keys are from memory (idea.cesnet.cz; draft-lehmann-idmefv2-03). Neither names a technique of ATT&CK Mobile, so what
they are about comes with the detector's argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from detector.contract import microseconds
from detector.elsewhere.pairs import Verdict
from detector.junk import JunkError, json_lines

SEVERITIES = {"info": "informational", "low": "low", "medium": "medium", "high": "high", "critical": "high"}
ADDRESSES = ("IP", "IP4", "IP6", "Hostname")
TIMES = ("EventTime", "StartTime", "DetectTime", "CreateTime")  # when it happened before when it was noticed


def verdicts(lines: Iterable[bytes]) -> Iterator[Verdict]:
    """The verdict of each alert; JunkError with line, key, found and expected."""
    for number, _, row in json_lines(lines, "an alert of Slips"):
        if not isinstance(row, dict):
            raise JunkError(f"line {number}: found {row!r:.80}, expected an object")
        yield _verdict(number, row)


def _verdict(number: int, row: Mapping[str, Any]) -> Verdict:
    source, target = _address(row.get("Source")), _address(row.get("Target"))
    if source is None:
        raise JunkError(f"line {number}: Source: found {row.get('Source')!r:.80}, expected a list with an address")
    confidence = row.get("Confidence", 1.0)
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise JunkError(f"line {number}: Confidence: found {confidence!r}, expected 0 to 1")
    category = row.get("Category") or row.get("Description") or "alert"
    word = ", ".join(map(str, category)) if isinstance(category, list) else str(category)
    severity = SEVERITIES.get(str(row.get("Severity", "medium")).lower(), "medium")
    text = f"Slips: {row.get('Description') or word}"
    return Verdict(source, target or "", _time(number, row), float(confidence), severity, True, word[:120], text[:500])


def _address(ends: object) -> str | None:
    """The first address or name in a list of ends."""
    for end in ends if isinstance(ends, list) else ():
        for key in ADDRESSES:
            value = end.get(key) if isinstance(end, dict) else None
            found = value[0] if isinstance(value, list) and value else value
            if isinstance(found, str) and found:
                return found
    return None


def _time(number: int, row: Mapping[str, Any]) -> int:
    for key in TIMES:
        if isinstance(text := row.get(key), str):
            try:
                return microseconds(text)
            except (ValueError, OverflowError) as fault:
                raise JunkError(f"line {number}: {key}: found {text!r}, expected RFC 3339 ({fault})") from None
    raise JunkError(f"line {number}: found no {' or '.join(TIMES)}, expected one of them")
