"""The sentences about an app's past."""

from __future__ import annotations

import math

from detector.analytics.polling_past import past_reasons

COLUMNS = {"baseline": 1.0, "per_day": 288.0, "usual_per_day": 12.04, "surge": 1.0, "own_places": 1.0}


def test_rates_are_told_as_they_were_counted():
    surge, places, succession = past_reasons({**COLUMNS, "succession": math.nan})
    assert surge.text == "288.0 contacts a day, and at most 12.0 while it was learned"
    assert (surge.value, places.value, succession.value) == (1, 1, None)
    assert succession.text.startswith("unknown: ")
    assert [one.weight for one in (surge, places, succession)] == [1, 1, 0]


def test_nothing_is_told_of_a_past_that_nobody_learned():
    assert past_reasons({**COLUMNS, "baseline": 0.0}) == ()
