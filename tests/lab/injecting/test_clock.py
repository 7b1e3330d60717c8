"""When an injected recording takes place."""

import numpy as np
import pytest

from detector.contract import microseconds
from lab.errors import ScenarioError
from lab.injecting.clock import DAY, overlap, refuse_outside, shift_of

START = microseconds("2026-03-02T19:00:00Z")
FIRST, LAST = microseconds("2017-03-31T16:00:00Z"), microseconds("2017-04-01T23:00:00Z")
HOURS = 3_600_000_000


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        (None, "2017-03-31T16:00:00Z"),
        ("+90s", "2017-03-31T16:01:30Z"),
        ("2017-03-31T20:00:00+02:00", "2017-03-31T18:00:00Z"),
        ("time-of-day", "2017-03-31T19:00:00Z"),
    ],
)
def test_it_begins_when_asked(asked, begins):
    assert START + shift_of(asked, START, 2 * HOURS, (FIRST, LAST)) == microseconds(begins)


def test_time_of_day_takes_the_day_that_holds_most_of_it():
    shift = shift_of("time-of-day", START, 2 * HOURS, (FIRST + 4 * HOURS, LAST))
    assert shift % DAY == 0
    assert START + shift == microseconds("2017-04-01T19:00:00Z")


@pytest.mark.parametrize("asked", ["tomorrow", "2017-03-31T20:00:00", "+soon", ""])
def test_anything_else_is_refused(asked):
    with pytest.raises(ScenarioError, match=r"--at: found .* expected RFC 3339"):
        shift_of(asked, START, HOURS, (FIRST, LAST))


def test_a_time_that_pcap_cannot_write_is_refused():
    refuse_outside(None, START, DAY)
    for start in (-1, 1 << 52):
        with pytest.raises(ScenarioError, match="1970"):
            refuse_outside("x", start, DAY)


def test_overlap_counts_packets():
    assert overlap(np.array([0, 5, 9, 10, 11]), (5, 10)) == {"before": 1, "within": 3, "after": 1}
