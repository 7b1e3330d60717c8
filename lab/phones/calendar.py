"""Dates where a phone is: the midnight from which a scenario's hours count, its date, and weekdays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Bool, Int64

DAY = 86_400 * SECOND
THURSDAY = 3  # 1970-01-01; Monday is 0, as in datetime.date.weekday
MONDAY_2026_03_02 = 20_514  # days since 1970-01-01; when scenarios start that do not say when


@dataclass(frozen=True)
class Calendar:
    """``midnight``: the last one at or before the start, in scenario microseconds, <= 0; ``today``: its date."""

    midnight: int = 0
    today: int = MONDAY_2026_03_02


def weekday(date: int) -> int:
    """Of a date in days since 1970-01-01: 0 is Monday.

    >>> weekday(MONDAY_2026_03_02)
    0
    """
    return (date + THURSDAY) % 7


def falls_on(weekdays: tuple[int, ...], begins: int, today: int, hours: Int64) -> Bool:
    """(n,) whether hours, counted from the midnight of ``today``, belong to those weekdays, each from ``begins`` on.

    >>> import numpy as np
    >>> falls_on((5,), 12, MONDAY_2026_03_02 + 5, np.array([11, 12, 35, 36])).tolist()
    [False, True, True, False]
    """
    found: Bool = np.isin((weekday(today) + (hours - begins) // 24) % 7, weekdays)
    return found
