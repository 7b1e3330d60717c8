"""What a live recording takes for evidence of its run, and what it says of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.devices.reading import Reading
from lab.stages.live.reports import ServersTold

EPOCH = 1_800_000_000_000_000
OTHERS = "-----BEGIN CERTIFICATE-----\nmitm\n-----END CERTIFICATE-----\n"
SOCKET = {"event": "connect", "uid": 10_101, "proto": "tcp", "local": ["10.88.0.9", 4], "peer": ["198.18.0.1", 80]}

SOCKET |= {"bytes_up": None, "bytes_down": None}


def test_a_long_run_says_how_long_it_takes(world, evidence, record) -> None:
    record(speed=1.0)
    record(speed=100_000.0, replace=True)
    assert [line for line in world.said if "playing takes" in line] == [
        line for line in world.said[:1] if "minutes; --speed 60 lets idle time pass faster" in line
    ]
    assert "playing takes" in world.said[0]


def test_what_sensors_saw_before_and_after_the_capture_is_left_out(world, evidence, record) -> None:
    times = [EPOCH - 1_001, EPOCH - 1_000, EPOCH + 1_000_000, EPOCH + 1_000_001]
    world.seen = {"events": {0: [{**SOCKET, "time_us": time} for time in times]}}
    record()
    assert [row["time"] for row in evidence.of[0].sockets] == times[1:3]


@pytest.mark.parametrize(
    ("overheard", "fault"),
    [
        (b"torn\n", "line 1: not JSON"),
        (b'{"v": 0}\n', "line 1: version 0"),
        (b'{"v": 1, "event": "ht', None),
        (b"", None),
    ],
)
def test_what_the_gateway_wrote_may_be_damaged_and_is_a_fault(world, evidence, record, overheard, fault) -> None:
    world.overheard, world.seen = overheard, {"faults": ["another"]}
    record()
    faults = evidence.of[0].faults
    assert faults[0] == "another"
    assert [fault in one for one in faults[1:]] == ([True] if fault else [])


def test_apps_trust_the_gateway_unless_they_pin(world, evidence, record, script_of_scenario) -> None:
    timeline, _, _ = script_of_scenario("live-https")
    package = timeline.apps[timeline.incidents[0].app].package
    record("live-https", pin=[package])
    (run,) = world.runs
    trusted = {n: run.trusted(n) for n in range(len(run.scripts))}
    assert run.sight.pinning
    assert all((OTHERS in pem) is (n not in run.sight.pinning) for n, pem in trusted.items())
    assert all("KEY\n" not in pem.replace("PRIVATE KEY", "") for pem in trusted.values())
    origin = trusted[min(run.sight.pinning)]
    assert all(pem.endswith(origin) for pem in trusted.values())


def test_readings_are_on_this_machine_s_clock_and_those_without_one_are_left_out(
    world, evidence, record, script_of_scenario
) -> None:
    def reading(**values):
        known = {"screen_on": True, "locked": False, "foreground": None, "power_state": "interactive"}
        return Reading(**{"time_us": 500, "last_interaction_us": 300, "clock_offset_us": 100, **known, **values})

    readings = [reading(), reading(time_us=None), reading(clock_offset_us=None), reading(last_interaction_us=None)]
    world.seen = {"days": {0: SimpleNamespace(readings=readings, skipped=0)}}
    record()
    name = script_of_scenario("live-http")[0].devices[0].name
    kept = evidence.of[0].readings[name]
    assert [(one.time_us, one.last_interaction_us) for one in kept] == [(400, 200), (400, None)]


def test_who_is_late_at_this_speed_is_told(world, evidence, record) -> None:
    record(speed=1.0)
    assert not [line for line in world.said if "have more to say" in line]
    record(speed=100_000.0, replace=True)
    assert "have more to say than --speed 100000 leaves time for" in world.said[-1]


@pytest.mark.parametrize(("skipped", "said"), [(1, []), (2, ["2 of 21"])])
def test_phones_that_cannot_keep_pace_are_counted_and_no_fault(world, evidence, record, skipped, said) -> None:
    reading = Reading(1, True, False, None, 1, "interactive", clock_offset_us=0)
    world.seen = {"days": {0: SimpleNamespace(readings=[reading] * 19, skipped=skipped)}}
    record()
    assert [line.partition(" device states were over")[0] for line in world.said if "device states" in line] == said
    (found,) = evidence.of
    assert found.remarks["states"] == {"told": 19, "skipped": skipped, "unread": 0}
    assert found.faults == []


def test_the_gateway_s_counts_the_servers_words_and_strays_are_evidence(world, evidence, record) -> None:
    world.seen = {"counted": {"packets": 7}, "servers": ServersTold(strays={"tls": 1})}
    record()
    (found,) = evidence.of
    assert found.counted == {"packets": 7}
    assert found.remarks["servers"] == {"strays": {"tls": 1}, "daemons": {}, "notes": {}}
    assert found.remarks["unplanned"] == {"n": 0, "first": []}
