"""Sidecars with an engine that only notes what it is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from docker.errors import APIError

from lab.errors import StageError
from lab.stages.live.topology import addresses, namespaces
from lab.stages.live.topology.namespaces import readdress, set_up, start_sensor

BACK = {"underlay": "10.77.9.10", "host": "10.77.9.1", "gateway_underlay": "10.77.9.2"}
OLD = addresses.handset(address="10.88.1.2", mac="02:00:00:00:00:01", **BACK)
NEW = addresses.handset(address="10.88.7.7", mac="02:00:00:00:00:77", **BACK)


class Engine:
    def __init__(self, said="{}"):
        self.said = said
        self.asked = []

    def once(self, *words, **settings):
        self.asked.append((words, settings))
        return self.said

    sidecar = once


@pytest.fixture(autouse=True)
def tag(monkeypatch):
    monkeypatch.setattr(namespaces, "image_tag", lambda role: f"droidrange/{role}:1")


def test_a_namespace_is_set_up_by_a_sidecar_that_gets_the_specification():
    engine = Engine('noise\n{"took_ms": 30}\n')
    assert set_up(engine, "session", "container", "servers", OLD) == {"took_ms": 30}
    ((words, settings),) = engine.asked
    assert words == ("session", "setup", "droidrange/topology:1", "setup-servers")
    assert settings["beside"] == "container"
    assert settings["command"][-2:] == ["lab.stages.live.topology.image.netns", OLD.to_json()]


@pytest.mark.parametrize("said", ["", "Traceback"])
def test_an_answer_that_is_none_is_a_stage_error(said):
    with pytest.raises(StageError, match="servers: its network's set-up said"):
        set_up(Engine(said), "session", "container", "servers", OLD)


def test_a_sensor_has_a_bounded_memory_and_the_specification():
    engine = Engine("made")
    assert start_sensor(engine, "session", "phone", "handset-01", OLD) == "made"
    ((words, settings),) = engine.asked
    assert words[1:] == ("sensor", "droidrange/topology:1", "sensor-handset-01")
    assert settings["command"][-2:] == ["lab.stages.live.topology.image.sensor", OLD.to_json()]
    assert settings["mem_limit"] == "32m"


def sensor(result):
    asked = []

    def exec_run(words):
        asked.append(words)
        if isinstance(result, Exception):
            raise result
        return result

    return SimpleNamespace(name="sensor-handset-01", exec_run=exec_run, asked=asked)


def test_a_handset_moves_by_one_command_of_its_sensor():
    told = sensor((0, b""))
    readdress(told, OLD, NEW)
    ((_, _, _, _, batch),) = told.asked
    assert batch.splitlines()[:2] == ["link set lab0 address 02:00:00:00:00:77", "addr add 10.88.7.7/32 dev lab0"]


@pytest.mark.parametrize("result", [(1, b"RTNETLINK answers: File exists"), APIError("no such container")])
def test_a_move_that_fails_is_a_stage_error_that_names_the_sensor(result):
    with pytest.raises(StageError, match="sensor-handset-01"):
        readdress(sensor(result), OLD, NEW)
