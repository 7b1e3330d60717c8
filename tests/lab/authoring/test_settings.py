"""Settings as files write them: durations, ranges, choices, and the words for what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.authoring.kinds import behaviour_class
from lab.authoring.settings import UNITS_S, microseconds, routable, seconds, settings_of

POLL = behaviour_class("http-poll")


@pytest.mark.parametrize(
    ("text", "expected"), [("30s", 30), ("5m", 300), ("1.5h", 5400), ("2d", 172800), ("250ms", 0.25)]
)
def test_a_duration_is_seconds(text, expected):
    assert seconds(text) == expected
    assert microseconds(text) == expected * 1_000_000


@pytest.mark.parametrize("text", ["5", "5 minutes", "-3m", "", "m", 5, None, "5m3s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="expected a duration such as"):
        seconds(text)


@given(st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 3)), st.sampled_from(sorted(UNITS_S)))
def test_any_number_with_a_unit_is_a_duration(value, unit):
    assert seconds(f"{value:.3f}{unit}") == pytest.approx(value * UNITS_S[unit])


def test_settings_take_their_types():
    values, faults = settings_of(POLL, {"period": "5m", "jitter": 1, "tls": False, "up": 500, "law": "fixed"})
    assert faults == []
    assert values == {"period": 300.0, "jitter": 1.0, "tls": False, "up": 500, "law": "fixed"}
    assert type(values["jitter"]) is float


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"perod": "5m"}, "unknown setting 'perod'; did you mean 'period'?"),
        ({"period": 300}, "period: found 300, expected a duration"),
        ({"jitter": 1.5}, "jitter: found 1.5, expected from 0 to 1"),
        ({"up": 3}, "up: found 3, expected from 100 to 100000 B"),
        ({"up": 300.5}, "up: found 300.5, expected a whole number"),
        ({"tls": "yes"}, "tls: found 'yes', expected true or false"),
        ({"law": "exponental"}, "did you mean 'exponential'?"),
        ({"period": "0.1s"}, "period: found 0.1, expected from 1 to 604800 s"),
        ({"up": True}, "up: found True, expected a whole number"),
        ({"jitter": float("nan")}, "jitter: found nan"),
    ],
)
def test_a_wrong_setting_says_found_and_expected(given, fault):
    values, faults = settings_of(POLL, given)
    assert len(faults) == 1
    assert fault in faults[0]
    assert values == {}


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "2606:2800:220::1", "10.0.0.1", "www.google.com", "evil.Example.com", "224.0.0.1"]
)
def test_a_routable_destination_is_refused(text):
    assert list(routable({"host": text})) == [
        f"host: '{text}' is a routable destination; expected 10.88.0.0/16, 198.18.0.0/15, .example or .test"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "198.19.3.4",
        "10.88.1.2",
        "2001:db8::7",
        "api.shop.example",
        "a.test",
        "5m",
        "GET",
        "x",
        "224.0.0.251",
        "239.255.255.250",
    ],
)
def test_the_labs_own_destinations_are_fine(text):
    assert list(routable({"host": [text]})) == []
