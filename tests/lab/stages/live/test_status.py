"""What labs there are, in words and rows, and who is taken down."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.stages.live import status


def listed(lab: str, name: str, role: str) -> dict:
    return {
        "Names": [f"/droidrange-{lab}-{name}"],
        "State": "running",
        "Labels": {"droidrange.role": role, "droidrange.lab": lab},
        "NetworkSettings": {"Networks": {"net": {"IPAddress": "10.77.3.10"}}},
    }


@pytest.fixture
def world(monkeypatch):
    made = SimpleNamespace(labs=[], down=[])
    containers = {"aaaaaaaa": [listed("aaaaaaaa", "handset-01", "handset"), listed("aaaaaaaa", "gateway", "gateway")]}

    def find(**wanted):
        return containers.get(wanted["filters"]["label"].partition("=")[2], [])

    engine = SimpleNamespace(client=SimpleNamespace(api=SimpleNamespace(containers=find)))
    monkeypatch.setattr(status, "connect", lambda: engine)
    monkeypatch.setattr(status, "find_labs", lambda _engine: made.labs)
    monkeypatch.setattr(status, "down", lambda _engine, ids, *, force: made.down.extend((one, force) for one in ids))
    made.engine, made.containers = engine, containers
    return made


def lab(name: str, *, kept: bool = True, wanted: bool = True):
    return SimpleNamespace(id=name, kept=kept, folder="there", expires=1_795_000_000, wanted=lambda _now: wanted)


def test_a_lab_is_shown_with_its_handsets_and_their_adb(world, capsys) -> None:
    world.labs = [lab("aaaaaaaa")]
    (row,) = status.statuses()
    assert row["containers"] == {"gateway": "running", "handset-01": "running"}
    assert row["handsets"] == [{"name": "handset-01", "adb": "10.77.3.10:5555"}]
    assert row["expires"].endswith("+00:00")
    status.print_status([row])
    assert "adb connect 10.77.3.10:5555" in capsys.readouterr().out
    assert status.status_of(world.engine, "aaaaaaaa") == row


def test_a_sensor_between_two_runs_is_idle_and_a_foreign_lab_is_marked(world, capsys) -> None:
    world.containers["aaaaaaaa"].append({**listed("aaaaaaaa", "sensor-handset-01", "sensor"), "State": "exited"})
    foreign = lab("aaaaaaaa")
    foreign.folder = None
    world.labs = [foreign]
    (row,) = status.statuses()
    assert row["containers"]["sensor-handset-01"] == "idle"
    assert row["own"] is False
    assert status.own_labs(world.engine) == []
    status.print_status([row])
    assert "another state folder" in capsys.readouterr().out


def test_nothing_is_said_plainly_and_what_was_left_behind_with_its_cure(world, capsys) -> None:
    status.print_status([])
    world.labs = [lab("bbbbbbbb", wanted=False)]
    status.print_status(status.statuses())
    said = capsys.readouterr().out
    assert "no lab is up" in said
    assert "droidrange lab clean" in said


def test_down_takes_every_kept_lab_or_those_named(world) -> None:
    world.labs = [lab("aaaaaaaa"), lab("bbbbbbbb", kept=False)]
    assert status.taken_down(None)[0] == ["aaaaaaaa"]
    assert status.taken_down(["bbbbbbbb"], force=True)[0] == ["bbbbbbbb"]
    assert world.down == [("aaaaaaaa", False), ("bbbbbbbb", True)]
    with pytest.raises(LookupError, match="no lab cccccccc; there are aaaaaaaa, bbbbbbbb"):
        status.taken_down(["cccccccc"])
    with pytest.raises(LookupError, match="no lab 'cccccccc'"):
        status.status_of(world.engine, "cccccccc")


def test_clean_tells_what_it_removed(world, monkeypatch, tmp_path) -> None:
    swept = SimpleNamespace(labs=("aaaaaaaa",))
    monkeypatch.setattr(status, "clean", lambda _engine: (swept, [tmp_path]))
    monkeypatch.setattr(status, "remove_old_images", lambda _engine: ["droidrange/base:0"])
    assert status.cleaned() == (["aaaaaaaa"], [tmp_path], [])
    assert status.cleaned(images=True) == (["aaaaaaaa"], [tmp_path], ["droidrange/base:0"])
