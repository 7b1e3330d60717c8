"""A lab found again: the only one, the one named, none, or one that has lost a part."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live import finding

PARTS = ("gateway", "servers", "strangers", "handset-01", "sensor-handset-01")


def container(session: str, name: str, status: str = "running"):
    image = {"strangers": "servers"}.get(name, name.removesuffix("-01"))
    attrs = {"Config": {"Image": f"droidrange/{image}:now"}}
    return SimpleNamespace(name=f"droidrange-{session}-{name}", status=status, attrs=attrs)


@pytest.fixture
def world(monkeypatch):
    """Labs by id: their containers; whether they are kept."""
    made = SimpleNamespace(labs={}, kept=set(), foreign=set())

    class Engine:
        client = SimpleNamespace(
            networks=SimpleNamespace(
                list=lambda **_: [SimpleNamespace(attrs={"IPAM": {"Config": [{"Subnet": "10.77.3.0/24"}]}})]
            )
        )

        def containers(self, session):
            return made.labs[session.id]

    def sessions():
        return [
            SimpleNamespace(id=name, full_name=lambda part, name=name: f"droidrange-{name}-{part}")
            for name in made.labs
        ]

    def labs(_engine):
        return [
            SimpleNamespace(id=name, kept=name in made.kept, folder=name not in made.foreign, wanted=lambda _now: True)
            for name in sorted(made.labs)
        ]

    monkeypatch.setattr(finding, "image_tag", lambda role: f"droidrange/{role}:now")
    monkeypatch.setattr(finding, "connect", Engine)
    monkeypatch.setattr(finding, "sessions", sessions)
    monkeypatch.setattr(finding, "find_labs", labs)
    return made


def put(world, name: str, **states: str) -> None:
    world.labs[name] = [container(name, part, states.get(part.replace("-", "_"), "running")) for part in PARTS]
    world.kept.add(name)


def test_none_is_up(world) -> None:
    assert finding.attach() is None


def test_the_only_one_is_found_with_its_parts(world) -> None:
    put(world, "aaaaaaaa")
    lab = finding.attach()
    assert lab.session.id == "aaaaaaaa"
    assert set(lab.containers) == {"gateway", "servers", "strangers"}
    assert [phone.underlay for phone in lab.handsets] == ["10.77.3.10"]


def test_a_sensor_that_ended_with_its_run_is_no_loss(world) -> None:
    put(world, "aaaaaaaa", sensor_handset_01="exited")
    assert finding.attach() is not None


def test_of_several_one_must_be_chosen(world) -> None:
    put(world, "aaaaaaaa")
    put(world, "bbbbbbbb")
    with pytest.raises(LookupError, match="2 labs are up: aaaaaaaa, bbbbbbbb; choose one with --lab"):
        finding.attach()
    assert finding.attach("bbbbbbbb").session.id == "bbbbbbbb"


def test_an_unknown_one_is_told_the_known(world) -> None:
    put(world, "aaaaaaaa")
    with pytest.raises(LookupError, match="no lab 'cccccccc'; up are: aaaaaaaa"):
        finding.attach("cccccccc")


def test_a_lab_of_a_recording_is_not_taken_by_another(world) -> None:
    put(world, "aaaaaaaa")
    world.kept.clear()
    assert finding.attach() is None
    with pytest.raises(LookupError, match="lab aaaaaaaa is of a recording under way; up are: none"):
        finding.attach("aaaaaaaa")


def test_a_lost_part_is_named(world) -> None:
    put(world, "aaaaaaaa", gateway="exited")
    with pytest.raises(StageError, match=r"droidrange-aaaaaaaa-gateway|gateway"):
        finding.attach()
    world.labs["aaaaaaaa"].pop(1)
    with pytest.raises(StageError, match="servers"):
        finding.attach()


def test_a_lab_of_other_sources_is_not_used(world) -> None:
    put(world, "aaaaaaaa")
    world.labs["aaaaaaaa"][1].attrs["Config"]["Image"] = "droidrange/servers:before"
    with pytest.raises(StageError, match=r"brought up by other sources than these \(servers\)"):
        finding.attach()


def test_a_lab_of_another_state_folder_is_left_alone(world) -> None:
    put(world, "aaaaaaaa")
    put(world, "bbbbbbbb")
    world.foreign.add("aaaaaaaa")
    assert finding.attach().session.id == "bbbbbbbb"
