"""One reading out of one answer: sources agree, contradict or are silent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.devices.reading import READ_COMMAND, Reading, parse_reading

NOTHING = Reading(None, None, None, None, None, None)


def answer(**parts):
    names = ("date", "power", "window", "activity", "usagestats", "deviceidle")
    return "".join(f"==droidrange {name}\n{parts.get(name, '')}\n" for name in names)


def test_the_command_asks_each_source_once_behind_its_marker():
    for words in (
        "dumpsys power",
        "dumpsys window policy",
        "activity activities",
        "usagestats",
        "deviceidle",
        "date '+%s",
    ):
        assert READ_COMMAND.count(words) >= 1
    assert READ_COMMAND.count("==droidrange ") == 6


def test_a_whole_reading(dump):
    text = answer(
        date="1790000000.250000000 +0200",
        power=dump("power-8.txt"),
        window=dump("window-policy-13.txt"),
        activity=dump("activities-9.txt"),
        deviceidle=dump("deviceidle-14.txt"),
    )
    reading = parse_reading(text, asked_us=1_790_000_000_200_000, answered_us=1_790_000_000_300_000)
    assert reading == Reading(
        time_us=1_790_000_000_250_000,
        screen_on=True,
        locked=False,
        foreground="com.example.mail",
        last_interaction_us=1_790_000_000_250_000 - 11_539_000,
        power_state="interactive",
        clock_offset_us=50_000,
        clock_doubt_us=100_000,
    )
    assert reading.lab_time_us() == 1_790_000_000_200_000


def test_locked_if_any_report_of_now_says_so(dump):
    text = answer(window=dump("window-policy-13.txt"), activity=dump("activities-13.txt"))
    assert parse_reading(text).locked is True


def test_the_history_speaks_where_the_present_is_silent(dump):
    reading = parse_reading(answer(date="1790000000.0 +0000", usagestats=dump("usagestats-14.txt")))
    assert (reading.screen_on, reading.locked, reading.foreground) == (False, True, None)
    contradicted = answer(usagestats=dump("usagestats-14.txt"), window=dump("window-policy-13.txt"))
    assert parse_reading(contradicted).locked is False


def test_nothing_is_in_front_of_a_dark_screen(dump):
    text = answer(power=dump("power-13.txt"), activity=dump("activities-9.txt"))
    assert parse_reading(text).foreground is None


def test_a_silent_device_gives_nothing(dump):
    assert parse_reading("") == NOTHING
    assert parse_reading(answer()) == NOTHING
    assert parse_reading("").lab_time_us() is None
    # a date without fractions, as old toybox prints it
    assert parse_reading(answer(date="1790000000.N +0000")).time_us == 1_790_000_000_000_000


@given(st.dictionaries(st.sampled_from(["date", "power", "window", "activity", "usagestats"]), st.text(max_size=80)))
def test_any_text_gives_a_reading(parts):
    assert isinstance(parse_reading(answer(**parts), asked_us=1, answered_us=2), Reading)
