"""A live recording's surroundings, replaced: its lab, its phones, its run."""

from __future__ import annotations

from contextlib import contextmanager
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from lab.stages.frames import file_header
from lab.stages.live import stage as module
from lab.stages.live.livelab import LiveLab
from lab.stages.live.pace import Tempo
from lab.stages.live.player import Player
from lab.stages.live.provision import Ready
from lab.stages.live.run import Run

EPOCH = 1_800_000_000_000_000
OTHERS = "-----BEGIN CERTIFICATE-----\nmitm\n-----END CERTIFICATE-----\n"


class World:
    """``seen`` is what each run saw, by the name of its field; ``begin`` may fail or look around."""

    def __init__(self, folder) -> None:
        self.log, self.said, self.runs, self.seen, self.overheard = [], [], [], {}, b""
        self.begin = lambda _run: None
        for name in ("rec", "plan", "pki"):
            (folder / name).mkdir(parents=True)
        (folder / "pki" / "gateway-ca.pem").write_text(f"KEY\n{OTHERS}")
        session = SimpleNamespace(folder=folder)
        self.lab = LiveLab(SimpleNamespace(version="28"), session, IPv4Network("10.77.3.0/24"), {}, ())

    @contextmanager
    def borrowed(self, devices, name, _say):
        self.log.append(("borrowed", devices, name))
        yield self.lab
        self.log.append(("given back",))

    @contextmanager
    def adb(self, folder):
        assert folder == self.lab.session.folder / "adb"
        yield "adb"

    def provision(self, lab, timeline, _scripts, server):
        assert (lab, server) == (self.lab, "adb")
        self.log.append(("provisioned",))
        return Ready({}, {}, {}, {device.name: [] for device in timeline.devices})


def run_in(world: World) -> type[Run]:
    class Seen(Run):
        async def play(self) -> None:
            world.runs.append(self)
            world.log.append(("played",))
            world.begin(self)
            self.tempo = Tempo(EPOCH, self.timeline.start, self.speed)
            self.opened_us, self.closed_us = EPOCH - 1_000, EPOCH + 1_000_000
            self.player = Player([], {}, self.payload, self.trusted, None, None)
            (self.lab.folder("rec") / f"{self.name}.pcap").write_bytes(file_header())
            (self.lab.folder("rec") / f"{self.name}.jsonl").write_bytes(world.overheard)
            for name, value in world.seen.items():
                setattr(self, name, value)

    return Seen


def _left(world: World) -> list[str]:
    return sorted(path.name for name in ("rec", "plan") for path in world.lab.folder(name).iterdir())


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path / "lab")
    monkeypatch.setattr(module, "borrowed", made.borrowed)
    monkeypatch.setattr(module, "AdbServer", SimpleNamespace(start=made.adb))
    monkeypatch.setattr(module, "provision", made.provision)
    monkeypatch.setattr(module, "Run", run_in(made))
    monkeypatch.setattr(module, "say", made.said.append)
    return made


@pytest.fixture
def evidence(monkeypatch):
    """Nothing is written; what would have been. ``reason``: why it is not complete."""
    made = SimpleNamespace(of=[], reason="")

    def write_recording(making, found) -> str:
        made.of.append(found)
        (making / "recording.json").write_text("{}")
        return made.reason

    monkeypatch.setattr(module, "write_recording", write_recording)
    return made


@pytest.fixture
def record(script_of_scenario, tmp_path):
    def made(scenario="live-http", *, timeline=None, folder=None, **wishes):
        values = {
            "speed": 60.0,
            "lab": None,
            "pin": (),
            "passthrough": (),
            "replace": False,
            "progress": None,
            **wishes,
        }
        return module.record_live(timeline or script_of_scenario(scenario)[0], folder or tmp_path / "out", **values)

    return made


@pytest.fixture
def left():
    """The names of the files of a world's lab that are still there."""
    return _left
