"""What devices and sensors say, as telemetry: only changes of state, listeners by their plan, packages as reported."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from lab.stages.live.pace import Tempo, planned, state_courses
from lab.stages.live.tables import (
    TOUCH_NOISE_US,
    packages_table,
    requests_of,
    requests_table,
    sockets_of,
    sockets_table,
    states_table,
)
from lab.stages.live.tuples import index_flows

EPOCH, START, SPEED = 1_800_000_000_000_000, 1_772_409_600_000_000, 60
TEMPO = Tempo(EPOCH, START, SPEED)
MINUTE = 60_000_000


@dataclass(frozen=True)
class Snapshot:
    time_us: int = EPOCH
    screen_on: bool = True
    locked: bool = False
    foreground: str | None = "com.example.torchlight"
    last_interaction_us: int | None = EPOCH
    power_state: str = "interactive"


INSTALLED = {"phone-01": [("com.example.torchlight", 10_123), ("com.android.launcher3", 10_050), ("android", 1_000)]}


def states(*readings, courses=None):
    rows = states_table({"phone-01": list(readings)}, INSTALLED, TEMPO, courses or {}).to_pylist()
    return [{**row, "time": row["time"] - START} for row in rows]


CHANGES = {
    "screen": ({"screen_on": False}, True),
    "lock": ({"locked": True}, True),
    "another app": ({"foreground": None}, True),
    "power": ({"power_state": "idle"}, True),
    "touched again": ({"last_interaction_us": EPOCH + TOUCH_NOISE_US + 1}, True),
    "touch unknown": ({"last_interaction_us": None}, True),
    "the same": ({}, False),
    "the same, read later": ({"last_interaction_us": EPOCH + TOUCH_NOISE_US}, False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_only_changes_are_kept(name):
    change, kept = CHANGES[name]
    second = replace(Snapshot(time_us=EPOCH + 1_000_000), **change)
    assert len(states(Snapshot(), second, replace(second, time_us=EPOCH + 2_000_000))) == 1 + kept


def test_noise_does_not_add_up_to_a_change_unseen():
    drift = [Snapshot(time_us=EPOCH + k, last_interaction_us=EPOCH + k * TOUCH_NOISE_US // 2) for k in range(7)]
    assert [row["time"] for row in states(*drift)] == [0, 3 * SPEED, 6 * SPEED]


def test_states_on_the_plain_clock_and_by_their_plan():
    late = Snapshot(time_us=EPOCH + 1_000_500, last_interaction_us=None, foreground="com.android.launcher3")
    (plain,) = states(late)
    assert (plain["time"], plain["last_interaction"], plain["foreground_uid"]) == (MINUTE + 30_000, None, None)
    (told,) = states(late, courses={"phone-01": planned(START + np.array([0, MINUTE]), START, SPEED)})
    assert told["time"] == MINUTE + 500, "late by what it was late"


def test_the_app_in_front_is_known_by_what_the_device_installed():
    fronts = ["com.example.torchlight", "android", "com.example.stranger", None]
    readings = [Snapshot(time_us=EPOCH + k, foreground=front) for k, front in enumerate(fronts)]
    assert [row["foreground_uid"] for row in states(*readings)] == [10_123, 1_000, None, None]


def test_only_the_handset_s_own_launcher_counts_as_none_in_front():
    fronts = ["com.android.launcher3", "org.example.launcher"]
    readings = [Snapshot(time_us=EPOCH + k, foreground=front) for k, front in enumerate(fronts)]
    installed = {"phone-01": [("com.android.launcher3", 10_050), ("org.example.launcher", 10_060)]}
    rows = states_table({"phone-01": readings}, installed, Tempo(EPOCH, START, SPEED), {}).to_pylist()
    assert [row["foreground_uid"] for row in rows] == [None, 10_060]


def test_readings_may_come_in_any_order():
    one, two = Snapshot(), Snapshot(time_us=EPOCH + 5, screen_on=False)
    assert states(two, one) == states(one, two)


def test_the_plan_of_states_is_each_devices_own(tiny):
    courses = state_courses(tiny, SPEED)
    assert courses["phone-01"].message_real.tolist() == [0, 1_000_000]
    assert courses["phone-02"].message_real.tolist() == [0]


def test_packages_are_the_devices_and_what_is_known_of_them_the_inventorys(tiny):
    table, faults = packages_table({**INSTALLED, "phone-02": [("com.example.weather", 10_124)]}, tiny)
    rows = {(row["device"], row["package"]): row for row in table.to_pylist()}
    assert faults == []
    assert rows["phone-02", "com.example.weather"] == {
        "device": "phone-02",
        "uid": 10_124,
        "package": "com.example.weather",
        "label": "Weather",
        "category": "weather",
        "sanctioned": True,
        "roles": ["vpn"],
    }
    assert rows["phone-01", "android"]["category"] == "system"
    assert rows["phone-01", "com.android.launcher3"]["category"] == "unknown"
    assert rows["phone-01", "netd"]["uid"] == 1_051, "no package, but an owner of sockets"
    assert len(rows) == 5


def test_a_missing_package_and_another_uid_are_said(tiny):
    table, faults = packages_table({"phone-01": [("com.example.torchlight", 10_999), ("netd", 1_051)]}, tiny)
    assert faults == [
        "phone-01: com.example.torchlight: found uid 10999, expected 10123",
        "phone-02: com.example.weather: found uid None, expected 10124",
    ]
    uids = [(row["package"], row["uid"]) for row in table.to_pylist()]
    assert uids == [("netd", 1_051), ("com.example.torchlight", 10_999)], "as the device reports it, and netd once"


def socket(**changes):
    row = {"time": EPOCH, "device": "phone-01", "uid": 10_123, "event": "listen", "proto": "tcp"}
    row |= {"local_address": "0.0.0.0", "local_port": 1080, "peer_address": None, "peer_port": None}
    return {**row, "bytes_up": None, "bytes_down": None, **changes}


def test_a_listener_is_as_late_as_it_was(tiny):
    flows = index_flows([], [], {}, TEMPO)
    rows = [
        socket(time=EPOCH + 700),
        socket(event="close", time=EPOCH + 500_900),
        socket(local_port=99, time=EPOCH + 700),
        socket(event="connect", device=None, local_address="10.88.3.5", peer_address="198.18.0.1", peer_port=7),
    ]
    table = sockets_table(rows, sockets_of(rows, flows), flows, tiny).to_pylist()
    assert [(row["time"] - START, row["event"], row["device"]) for row in table] == [
        (0, "connect", "phone-02"),
        (700, "listen", "phone-01"),
        (700 * SPEED, "listen", "phone-01"),
        (30_000_000 + 900, "close", "phone-01"),
    ]


def test_a_request_of_nobody_keeps_its_address_and_the_plain_clock(tiny):
    flows = index_flows([], [], {}, TEMPO)
    names = ("sni", "host", "method", "path", "status", "bytes_up", "bytes_down", "user_agent")
    row = {**dict.fromkeys(names), "time": EPOCH + 10, "end": EPOCH + 20, "device": None}
    row |= {"client": "10.88.9.9", "client_port": 1, "server": "198.18.0.1", "server_port": 80}
    found = requests_of([row], flows)
    assert found.tolist() == [-1]
    (made,) = requests_table([row], found, flows, tiny).to_pylist()
    assert (made["time"], made["end"], made["device"]) == (START + 600, START + 1_200, "10.88.9.9")
