"""What Android kept of the past, read from reports of several versions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lab.devices import usage
from lab.devices.usage import AppBytes, UsageEvent, UsageTotal

SHREDS = sorted(
    {line for path in (Path(__file__).parent / "dumps").glob("*stats-*.txt") for line in path.read_text().splitlines()}
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(SHREDS), max_size=12).map("\n".join),
    st.tuples(st.sampled_from(SHREDS), st.text(max_size=10), st.integers(0, 100)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    ),
)


def micros(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000


@given(text=TEXTS, offset=st.integers(-50_000, 50_000))
def test_any_text_gives_a_value_or_nothing(text, offset):
    events = usage.parse_events(text, offset)
    assert usage.last_screen(events) in {True, False, None}
    assert all(total.used_s >= 0 for total in usage.parse_totals(text))
    assert all(row.received_bytes >= 0 for row in usage.parse_netstats(text))


def test_events_of_android_9_have_the_names_of_today(dump):
    events = usage.parse_events(dump("usagestats-9.txt"))
    assert [(event.kind, event.package) for event in events] == [
        ("ACTIVITY_RESUMED", "com.example.mail"),
        ("ACTIVITY_PAUSED", "com.example.mail"),
        ("KEYGUARD_SHOWN", "android"),
    ]
    assert usage.last_screen(events) is None
    assert usage.last_keyguard(events) is True


def test_times_are_the_devices_local_ones(dump):
    events = usage.parse_events(dump("usagestats-14.txt"), utc_offset_s=2 * 3600)
    assert events[2] == UsageEvent(
        micros(2026, 9, 26, 21, 10, 3), "ACTIVITY_RESUMED", "com.example.chat", "com.example.chat.Main"
    )
    assert (usage.last_screen(events), usage.last_keyguard(events)) == (False, True)
    assert (usage.last_screen(events[:3]), usage.last_keyguard(events[:3])) == (True, False)


def test_impossible_dates_and_clocks_are_passed_over():
    assert usage.parse_events('time="2026-13-40 99:00:00" type=SCREEN_INTERACTIVE package=android') == ()
    assert usage.parse_totals('package=a totalTimeUsed="1:2:3:4" appLaunchCount=1') == ()


def test_totals(dump):
    assert usage.parse_totals(dump("usagestats-14.txt")) == (
        UsageTotal("com.example.chat", 5400, 14),
        UsageTotal("com.example.quiet", 7, 1),
    )
    assert usage.parse_totals(dump("usagestats-9.txt")) == (UsageTotal("com.example.mail", 120, 2),)


def test_netstats_counts_whole_apps_only(dump):
    assert usage.parse_netstats(dump("netstats-9.txt")) == (
        AppBytes(10093, False, 1537992000, 1000, 10, 500, 5),
        AppBytes(10093, False, 1537999200, 2000, 20, 600, 6),
    )
    assert usage.parse_netstats(dump("netstats-13.txt")) == (
        AppBytes(10144, True, 1787544000, 63623203, 51606, 1594753, 9557),
    )
    assert usage.parse_netstats("") == ()
