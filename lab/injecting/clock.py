"""When an injected recording takes place: the shift from its own time to that of the capture, and what they share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detector.contract import microseconds
from lab.authoring.settings import microseconds as span_of
from lab.behaviours import Int64
from lab.errors import ScenarioError

DAY = 86_400_000_000
TIME_OF_DAY = "time-of-day"
EXPECTED = "RFC 3339 with an offset (2026-03-02T08:00:00+02:00), +SPAN after the capture's first packet, or time-of-day"


def shift_of(asked: str | None, start: int, span: int, background: tuple[int, int]) -> int:
    """Microseconds to add to a recording that begins at ``start``, so that it begins when ``asked``.

    None: with the background's first packet. ``+SPAN``: so long after it. ``time-of-day``: by whole days, to the day on
    which most of it lies within the background. ScenarioError for anything else that is no time with an offset.
    """
    first, last = background
    if asked is None:
        return first - start
    if asked == TIME_OF_DAY:
        near = round((first - start) / DAY)
        return max((near - 1, near, near + 1), key=lambda days: _shared(start + days * DAY, span, first, last)) * DAY
    try:
        return (first + span_of(asked[1:]) if asked.startswith("+") else microseconds(asked)) - start
    except (ValueError, OverflowError) as fault:
        raise ScenarioError([f"--at: found {asked!r} ({fault}), expected {EXPECTED}"]) from None


def refuse_outside(asked: str | None, start: int, span: int) -> None:
    """ScenarioError where a recording would begin before 1970 or end after 2106: a classic capture has no such time."""
    if start < 0 or start + span >= (1 << 32) * 1_000_000:
        raise ScenarioError([f"--at: found {asked!r}, expected a time from 1970 to 2105"])


def overlap(times: Int64, background: tuple[int, int]) -> Mapping[str, int]:
    """How many packets lie before, within and after the background."""
    first, last = background
    before, after = int(np.count_nonzero(times < first)), int(np.count_nonzero(times > last))
    return {"before": before, "within": len(times) - before - after, "after": after}


def _shared(start: int, span: int, first: int, last: int) -> int:
    return min(start + span, last) - max(start, first)
