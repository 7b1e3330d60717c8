"""Hours of the day, lock and Doze are told where the capture shows them, and left alone where it does not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry
from lab.authoring.from_capture_hours import HOUR_US, hours_of, opening_of

DAY = 24 * HOUR_US
MINUTE = HOUR_US // 60


def every(minutes, days, hours=range(24)):
    times = np.arange(0, days * DAY, minutes * MINUTE, dtype=np.int64)
    return times[np.isin(times // HOUR_US % 24, list(hours))]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (range(9, 18), (9.0, 18.0)),
        ([22, 23, 0, 1, 2, 3], (22.0, 4.0)),
        (range(24), (0.0, 24.0)),
        (range(8), (0.0, 8.0)),
    ],
)
def test_hours_that_are_kept_for_days(hours, expected):
    assert hours_of(every(10, 3, hours), 600.0) == expected


def test_one_day_or_a_slow_pace_proves_no_hours():
    assert hours_of(every(10, 1, range(9, 18)), 600.0) == (0.0, 24.0)
    slow = np.array([10, 34, 58], dtype=np.int64) * HOUR_US
    assert hours_of(slow, 86_400.0) == (0.0, 24.0)


def telemetry(rows):
    """A phone whose state changes at (time, locked, power_state)."""
    table = pa.table(
        {
            **{
                name: pa.nulls(len(rows), kind.type)
                for name, kind in zip(SCHEMAS["device_state"].names, SCHEMAS["device_state"], strict=True)
            },
            "time": pa.array([time for time, _, _ in rows], pa.int64()),
            "device": ["phone"] * len(rows),
            "locked": [locked for _, locked, _ in rows],
            "power_state": [power for _, _, power in rows],
        }
    )
    return Telemetry({"device_state": table}, span=(0, DAY))


def test_lock_and_doze_are_held_against_the_time_they_take():
    phone = telemetry([(0, True, "doze-deep"), (8 * HOUR_US, False, "interactive"), (16 * HOUR_US, True, "idle")])
    night, day, always = every(10, 1, [*range(8), *range(16, 24)]), every(10, 1, range(8, 16)), every(10, 1)
    assert [opening_of(phone, "phone", said, 600.0).gate for said in (night, day, always)] == [
        "locked",
        "unlocked",
        "always",
    ]
    assert [opening_of(phone, "phone", said, 600.0).doze for said in (night, day, always)] == [True, False, True]


def test_a_phone_without_state_is_judged_by_nothing():
    for source in (Telemetry({}, span=(0, DAY)), telemetry([])):
        opening = opening_of(source, "phone", every(10, 1), 600.0)
        assert (opening.gate, opening.state_known, opening.doze, opening.share) == ("always", False, None, 1.0)
