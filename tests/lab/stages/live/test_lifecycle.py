"""A lab's life against an engine that only notes what is asked of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from lab.errors import PrerequisiteError, StageError
from lab.stages.live import lifecycle
from lab.stages.live.engine.playing import alone, playing
from lab.stages.live.livelab import Handset, LiveLab

NET = IPv4Network("10.77.3.0/24")


class Session(SimpleNamespace):
    def full_name(self, name: str) -> str:
        return f"droidrange-{self.id}-{name}"

    @contextmanager
    def coming_up(self):
        yield


class Engine:
    """Notes containers; ``breaks`` is the name of the one that does not start."""

    version = "0"

    def __init__(self, breaks: str | None = None) -> None:
        self.ran, self.breaks = {}, breaks

    def network(self, _session):
        return SimpleNamespace(name="net", attrs={"IPAM": {"Config": [{"Subnet": str(NET)}]}})

    def run(self, _session, role, image, name, **wanted):
        if name == self.breaks:
            raise StageError(f"{name} did not start")
        self.ran[name] = {"role": role, "image": image, **wanted}
        return SimpleNamespace(name=name)

    def containers(self, _session):
        return [SimpleNamespace(name="gateway", status="exited", logs=lambda **_: b"no CA here\n")]


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Everything around the engine replaced; what was swept is noted."""
    made = SimpleNamespace(engine=Engine(), swept=[], sensors=[], wired=[])
    folder = tmp_path / "lab"
    folder.mkdir()
    session = Session(id="0a1b2c3d", folder=folder)
    monkeypatch.setattr(lifecycle, "connect", lambda: made.engine)
    monkeypatch.setattr(lifecycle, "ensure_images", lambda _engine, _say: None)
    monkeypatch.setattr(lifecycle, "open_session", lambda **_: session)
    monkeypatch.setattr(lifecycle, "sessions", lambda: [session])
    monkeypatch.setattr(lifecycle, "sweep", lambda _engine, ids=None: made.swept.append(set(ids or ())))
    monkeypatch.setattr(lifecycle, "state_folder", lambda: tmp_path)
    monkeypatch.setattr(lifecycle, "set_up", lambda *words: made.wired.append(words[3]))
    monkeypatch.setattr(lifecycle, "start_sensor", lambda *words: made.sensors.append(words[3]))

    async def answers(lab) -> None:
        return None

    monkeypatch.setattr(lifecycle, "_answering_all", answers)
    made.session = session
    return made


def test_every_part_comes_up_at_its_place(world) -> None:
    lab = lifecycle.up(3, kept=True)
    assert set(world.engine.ran) == {"gateway", "servers", "strangers", "handset-01", "handset-02", "handset-03"}
    assert len({one["address"] for one in world.engine.ran.values()}) == 6
    assert sorted(world.wired) == ["gateway", "servers", "strangers"]
    assert sorted(world.sensors) == ["handset-01", "handset-02", "handset-03"]
    assert [phone.index for phone in lab.handsets] == [0, 1, 2]
    assert (world.session.folder / "pki" / "gateway-ca.pem").stat().st_mode & 0o777 == 0o600
    assert world.swept == []


def test_half_a_lab_is_taken_down_and_says_what_its_dead_said(world) -> None:
    world.engine.breaks = "servers"
    with pytest.raises(StageError, match="servers did not start; gateway ended: no CA here"):
        lifecycle.up(1, kept=False)
    assert world.swept == [{"0a1b2c3d"}]


def test_an_interrupt_on_the_way_up_takes_down(world, monkeypatch) -> None:
    def interrupted(*_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "_brought_up", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.up(1, kept=True)
    assert world.swept == [{"0a1b2c3d"}]


@pytest.mark.parametrize("devices", [0, 201])
def test_a_number_of_handsets_that_has_no_place_is_refused(world, devices) -> None:
    with pytest.raises(PrerequisiteError, match=f"found {devices}"):
        lifecycle.up(devices, kept=True)


def captured(world, name: str = "run-1.pcap", size: int = 100) -> None:
    rec = world.session.folder / "rec"
    rec.mkdir(exist_ok=True)
    (rec / name).write_bytes(bytes(size))


def test_captures_that_no_recording_has_are_saved_before_the_folder_goes(world, tmp_path, capsys) -> None:
    captured(world)
    captured(world, "run-2.pcap", 24)
    saved = lifecycle.down(world.engine, ["0a1b2c3d"])
    assert saved == [tmp_path / "rescued" / "0a1b2c3d" / "run-1.pcap"]
    assert saved[0].read_bytes() == bytes(100)
    assert {one.stat().st_mode & 0o777 for one in (saved[0].parent, saved[0].parents[1])} == {0o700}
    assert capsys.readouterr().err == f"captured by a run that never ended: {saved[0]}\n"
    assert world.swept == [{"0a1b2c3d"}]


def test_links_in_the_captures_are_never_followed(world, tmp_path) -> None:
    captured(world)
    (tmp_path / "secret").write_bytes(bytes(100))
    rec = world.session.folder / "rec"
    (rec / "a").symlink_to(tmp_path / "secret")
    (rec / "b").symlink_to("nowhere")
    (rec / "c").symlink_to("c")
    (rec / "d").mkdir()
    saved = lifecycle.down(world.engine, ["0a1b2c3d"])
    assert [path.name for path in saved] == ["run-1.pcap"]
    assert sorted(path.name for path in rec.iterdir()) == ["a", "b", "c", "d"]


def test_a_lab_that_plays_is_taken_down_by_force_only(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 1))
    with lifecycle.borrowed(1, None, print):
        with pytest.raises(StageError, match=r"0a1b2c3d is playing.*droidrange lab down --force 0a1b2c3d"):
            lifecycle.down(world.engine, ["0a1b2c3d"])
        assert world.swept == []
        lifecycle.down(world.engine, ["0a1b2c3d"], force=True)
    assert world.swept == [{"0a1b2c3d"}]
    lifecycle.down(world.engine, ["0a1b2c3d"])
    assert len(world.swept) == 2


def lab(world, count: int) -> LiveLab:
    handsets = tuple(Handset(index, None, f"10.77.3.{10 + index}") for index in range(count))
    return LiveLab(world.engine, world.session, NET, {}, handsets)


def test_a_lab_that_is_up_is_used_and_left_up(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 2))
    with lifecycle.borrowed(2, None, print) as found:
        assert len(found.handsets) == 2
    assert world.swept == []


def test_a_lab_plays_one_timeline_at_a_time(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 1))
    with (
        lifecycle.borrowed(1, None, print),
        pytest.raises(StageError, match="is playing already"),
        lifecycle.borrowed(1, None, print),
    ):
        pass


def test_too_few_handsets_are_told_with_the_next_command(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 1))
    with pytest.raises(PrerequisiteError, match="lab up --devices 5"), lifecycle.borrowed(5, None, print):
        pass


def test_without_a_lab_one_is_brought_up_for_the_time_being(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: None)
    said = []
    with lifecycle.borrowed(1, None, said.append, needs_s=1e9) as found:
        assert len(found.handsets) == 1
        assert playing(world.session.folder)
        captured(world)
        assert world.swept == []
    assert world.swept == [{"0a1b2c3d"}]
    assert said[-1].startswith("captured by a run that never ended: ")


def test_a_lab_that_would_expire_before_the_run_ends_is_refused(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 2))
    world.session.expires = time.time() + 3600
    again = "stays for 60 more minutes, the run takes 120: droidrange lab down 0a1b2c3d && droidrange lab up "
    with (
        pytest.raises(PrerequisiteError, match=again + "--devices 2 --hours 3"),
        lifecycle.borrowed(2, None, print, needs_s=7200),
    ):
        pass
    with lifecycle.borrowed(2, None, print, needs_s=1800) as found:
        assert found.session is world.session


def test_a_lab_that_went_meanwhile_is_told(world, monkeypatch) -> None:
    monkeypatch.setattr(lifecycle, "attach", lambda _name: lab(world, 1))
    world.session.folder.rmdir()
    with pytest.raises(StageError, match="just taken down"), lifecycle.borrowed(1, None, print):
        pass


def test_clean_saves_what_the_unwanted_captured(world, monkeypatch) -> None:
    captured(world)
    monkeypatch.setattr(lifecycle, "stale", lambda _engine: [SimpleNamespace(id="0a1b2c3d")])
    assert len(lifecycle.clean(world.engine)[1]) == 1
    assert world.swept == [{"0a1b2c3d"}]


def test_clean_leaves_a_lab_that_began_to_play_when_it_was_already_chosen(world, monkeypatch) -> None:
    captured(world)
    monkeypatch.setattr(lifecycle, "stale", lambda _engine: [SimpleNamespace(id="0a1b2c3d")])
    with alone(world.session.folder):
        assert lifecycle.clean(world.engine)[1] == []
    assert world.swept == [set()]
    assert (world.session.folder / "rec" / "run-1.pcap").exists()
