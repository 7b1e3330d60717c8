"""A lab made ready for a timeline: who is wired with what, in which order, and what each phone is told."""

from __future__ import annotations

from ipaddress import IPv4Network
from threading import Lock
from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live import provision as module
from lab.stages.live.casting import names_of
from lab.stages.live.handset.handset import provision_command
from lab.stages.live.livelab import Handset, LiveLab
from lab.stages.live.plan import neighbours, strangers
from lab.stages.live.wiring import place

NET = IPv4Network("10.77.3.0/24")


class World:
    """An engine, an adb server and phones that note what is asked of them, each in order."""

    def __init__(self) -> None:
        self.log, self.specs, self.shells, self._lock = [], {}, {}, Lock()
        self.containers = []
        self.broken = None  # the serial of the phone that does not come

    def note(self, *words) -> None:
        with self._lock:
            self.log.append(words)

    def set_up(self, _engine, _session, container, name, spec) -> None:
        self.note("wired", name, container)
        self.specs[name] = spec

    def start_sensor(self, _engine, _session, container, name, spec):
        self.note("sensor", name, container)
        self.specs[name] = spec
        return f"sensor of {name}"

    def remove(self, container) -> None:
        self.note("removed", container.name)

    def connect(self, address) -> str:
        self.note("adb", address)
        return address

    def phone(self, server, serial):
        def shell(words) -> str:
            self.shells[serial] = words
            return ""

        def wait_ready(_timeout_s) -> None:
            if serial == self.broken:
                raise StageError(f"device {serial}: offline")

        able = {"capabilities": lambda **asked: (serial, asked), "inventory": lambda: [("a.b", 10_101)]}
        return SimpleNamespace(server=server, serial=serial, shell=shell, wait_ready=wait_ready, **able)


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(module, "set_up", made.set_up)
    monkeypatch.setattr(module, "start_sensor", made.start_sensor)
    monkeypatch.setattr(module, "Phone", made.phone)
    return made


@pytest.fixture
def lab(world, tmp_path):
    def made(handsets: int) -> LiveLab:
        session = SimpleNamespace(folder=tmp_path, full_name=lambda name: f"lab-{name}")
        engine = SimpleNamespace(containers=lambda _session: world.containers, remove=world.remove)
        phones = tuple(Handset(k, f"phone {k}", place(NET, "handset", k)) for k in range(handsets))
        return LiveLab(engine, session, NET, {role: role for role in ("gateway", "servers", "strangers")}, phones)

    return made


def provisioned(world, lab, scenario):
    timeline, scripts, _ = scenario
    server = SimpleNamespace(address=("127.0.0.1", 5037), connect=world.connect)
    return module.provision(lab, timeline, scripts, server)


def test_every_device_gets_its_own_address_apps_and_names(world, lab, script_of_scenario) -> None:
    timeline, scripts, _ = scenario = script_of_scenario("live-backconnect-five")
    made = lab(len(timeline.devices))
    ready = provisioned(world, made, scenario)
    assert sorted(ready.phones) == sorted(ready.sensors) == list(range(len(timeline.devices)))
    for index, device in enumerate(timeline.devices):
        handset = made.handsets[index]
        (overlay,) = world.specs[f"handset-{index + 1:02d}"].overlays
        assert overlay.address.partition("/")[0] == device.address
        assert overlay.mac == device.mac
        assert ready.phones[index].serial == f"{handset.underlay}:5555"
        own = [app for app in timeline.apps if app.device == index]
        assert world.shells[f"{handset.underlay}:5555"] == provision_command(own)
        known = (made.session.folder / handset.hosts).read_text()
        assert all(name in known for name in names_of(scripts))
        assert ready.sensors[index] == f"sensor of handset-{index + 1:02d}"
        assert ready.installed[device.name] == [("a.b", 10_101)]
        assert ready.abilities[index] == (ready.phones[index].serial, {"sidecar": True})


def test_the_gateway_comes_last_and_once(world, lab, script_of_scenario) -> None:
    provisioned(world, lab(1), script_of_scenario("live-http"))
    assert world.log[-1] == ("wired", "gateway", "gateway")
    assert sorted(words[1] for words in world.log if words[0] == "wired") == ["gateway", "servers", "strangers"]


def test_strangers_and_neighbours_are_who_the_scripts_need(world, lab, script_of_scenario) -> None:
    _, scripts, _ = scenario = script_of_scenario("live-socks5")
    provisioned(world, lab(1), scenario)
    come, beside = strangers(scripts), neighbours(scripts)
    assert come
    assert {f"{one}/32" for one in come} <= {route.prefix for route in world.specs["gateway"].routes}
    assert {f"{one}/32" for one in come} <= set(world.specs["strangers"].local)
    assert not {f"{one}/32" for one in come} & set(world.specs["servers"].local)
    assert {f"{one}/32" for one in beside} <= set(world.specs["servers"].local)


def test_an_earlier_run_s_sensor_is_removed_before_there_is_another_and_nobody_else_s(
    world, lab, script_of_scenario
) -> None:
    names = ("lab-sensor-handset-01", "lab-sensor-handset-02", "lab-handset-01", "other-sensor-handset-01")
    world.containers = [SimpleNamespace(name=name) for name in names]
    provisioned(world, lab(2), script_of_scenario("live-http"))
    assert [words[1] for words in world.log if words[0] == "removed"] == ["lab-sensor-handset-01"]
    kinds = [words[0] for words in world.log if words[0] in {"removed", "sensor", "adb"}]
    assert kinds == ["removed", "sensor", "adb"]


def test_handsets_that_play_nothing_are_left_alone(world, lab, script_of_scenario) -> None:
    ready = provisioned(world, lab(3), script_of_scenario("live-http"))
    assert list(ready.phones) == [0]
    assert [words[1] for words in world.log if words[0] == "sensor"] == ["handset-01"]


def test_a_phone_that_does_not_come_is_named_and_the_gateway_is_not_wired(world, lab, script_of_scenario) -> None:
    world.broken = f"{place(NET, 'handset', 0)}:5555"
    with pytest.raises(StageError, match=r"10\.77\.3\.10:5555: offline"):
        provisioned(world, lab(1), script_of_scenario("live-http"))
    assert ("wired", "gateway", "gateway") not in world.log
