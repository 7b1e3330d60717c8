"""Android's reports of several versions say what they say; any other text says nothing, and never fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.devices import dumpsys
from lab.devices.dumpsys import Activities, Connectivity, DeviceIdle, Power, Process, Window
from lab.timeline import POWER_STATES

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.txt"))
PARSERS = (
    dumpsys.parse_power,
    dumpsys.parse_window,
    dumpsys.parse_activities,
    dumpsys.parse_processes,
    dumpsys.parse_deviceidle,
    dumpsys.parse_connectivity,
    dumpsys.parse_packages,
    dumpsys.parse_properties,
)
# shreds of the real thing reach further into a parser than letters do
SHREDS = sorted({line for path in DUMPS for line in path.read_text(encoding="utf-8").splitlines()})
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(SHREDS), max_size=12).map("\n".join),
    st.tuples(st.sampled_from(SHREDS), st.text(max_size=10), st.integers(0, 100)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    ),
)


@given(text=TEXTS)
def test_any_text_gives_a_value_or_nothing(text):
    for parse in PARSERS:
        assert parse(text) is not None
    idle = dumpsys.parse_deviceidle(text)
    assert dumpsys.power_state(idle, screen_on=None) in {*POWER_STATES, None}


def test_an_empty_report_says_nothing():
    assert dumpsys.parse_power("") == Power(None, None, None, None, None)
    assert dumpsys.parse_power("").screen_on is None
    assert dumpsys.parse_window("") == Window(None, None)
    assert dumpsys.parse_activities("") == Activities(None, None, said=False)
    assert dumpsys.parse_processes("") == ()
    assert dumpsys.parse_deviceidle("") == DeviceIdle(None, None, None, None, None)
    assert dumpsys.parse_connectivity("") == Connectivity(None, (), None, None)
    assert dumpsys.parse_packages("") == ()
    assert dumpsys.parse_properties("") == {}
    assert dumpsys.power_state(dumpsys.parse_deviceidle(""), screen_on=None) is None


@pytest.mark.parametrize(
    ("name", "power", "screen_on"),
    [
        ("power-8.txt", Power("Awake", True, 11539, 196548, 497748), True),
        ("power-10-asleep.txt", Power("Dozing", False, 360000, 900000, 300000), False),
        ("power-13.txt", Power("Asleep", None, 1597954, 1713215, 1533215), False),
    ],
)
def test_power(dump, name, power, screen_on):
    found = dumpsys.parse_power(dump(name))
    assert (found, found.screen_on) == (power, screen_on)


def test_the_display_counts_where_wakefulness_is_missing():
    assert dumpsys.parse_power("Display Power: state=ON").screen_on is True
    assert dumpsys.parse_power("Display Power: state=OFF").screen_on is False


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("window-8.txt", Window(True, None)),  # the focus is the status bar's own window, no app
        ("window-policy-13.txt", Window(False, None)),
        ("window-14.txt", Window(False, "com.example.chat")),
    ],
)
def test_window(dump, name, window):
    assert dumpsys.parse_window(dump(name)) == window


@pytest.mark.parametrize(
    ("name", "activities"),
    [
        ("activities-9.txt", Activities("com.example.mail", False, said=True)),
        ("activities-13.txt", Activities("com.google.android.youtube", True, said=True)),
        ("activities-asleep.txt", Activities(None, None, said=True)),
    ],
)
def test_activities(dump, name, activities):
    assert dumpsys.parse_activities(dump(name)) == activities


def test_processes(dump):
    assert dumpsys.parse_processes(dump("processes-9.txt")) == (
        Process(1407, "system", "1000", "PER", "fixed"),
        Process(21550, "com.example.mail", "u0a93", "TOP", "top-activity"),
        Process(4711, "com.example.player:remote", "u0a101", "FGS", "fg-service"),
        Process(5000, "com.example.old", "u10a7", "CAC", "cch-act"),
    )
    assert dumpsys.parse_processes(dump("processes-13.txt")) == (
        Process(21550, "com.x", "u0a93", "TOP", "top-activity"),
        Process(2222, "com.example.sync", "u0a55", "SVC", "started-services"),
        Process(3333, "com.example.old", "u0a12i3", "CAC", "cch-act"),
    )


def test_deviceidle(dump):
    assert dumpsys.parse_deviceidle(dump("deviceidle-8.txt")) == DeviceIdle(
        "SENSING", "IDLE_MAINTENANCE", forced=False, screen_on=False, charging=False
    )
    assert dumpsys.parse_deviceidle(dump("deviceidle-14.txt")) == DeviceIdle(
        "ACTIVE", "ACTIVE", forced=True, screen_on=True, charging=True
    )


@pytest.mark.parametrize(
    ("deep", "light", "screen_on", "state"),
    [
        ("ACTIVE", "ACTIVE", True, "interactive"),
        ("IDLE", "OVERRIDE", True, "interactive"),
        ("INACTIVE", "INACTIVE", False, "idle"),
        ("SENSING", "PRE_IDLE", False, "idle"),
        ("INACTIVE", "IDLE", False, "doze-light"),
        ("IDLE_PENDING", "WAITING_FOR_NETWORK", False, "doze-light"),
        ("IDLE", "OVERRIDE", False, "doze-deep"),
        ("IDLE_MAINTENANCE", "OVERRIDE", False, "maintenance"),
        ("INACTIVE", "IDLE_MAINTENANCE", False, "maintenance"),
        ("INACTIVE", None, None, "idle"),
        (None, None, False, "idle"),
    ],
)
def test_power_states(deep, light, screen_on, state):
    assert dumpsys.power_state(DeviceIdle(deep, light, None, None, None), screen_on=screen_on) == state


def test_connectivity(dump):
    assert dumpsys.parse_connectivity(dump("connectivity-13.txt")) == Connectivity(100, ("WIFI",), True, 10161)
    assert dumpsys.parse_connectivity(dump("connectivity-8.txt")) == Connectivity(100, ("WIFI",), False, None)


def test_packages_of_several_users_and_shared_uids(dump):
    assert dumpsys.parse_packages(dump("packages.txt")) == (
        ("android", 1000),
        ("com.android.settings", 1000),
        ("com.google.android.youtube", 10166),
        ("com.example.work", 10171),
        ("com.example.work", 1010171),
    )


def test_properties(dump):
    found = dumpsys.parse_properties(dump("properties.txt"))
    assert found["ro.build.version.sdk"] == "34"
    assert (found["ro.empty"], found["persist.sys.multi"]) == ("", "first\nsecond")


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.name)
def test_every_fixture_says_where_its_lines_are_from(path):
    head = path.read_text(encoding="utf-8").splitlines()[:3]
    assert head[0] == "#! Written by hand; never captured from a device by us."
    assert head[1].startswith("#! From public documentation or published excerpts: ")
    assert head[2].startswith("#! The other lines follow AOSP")
