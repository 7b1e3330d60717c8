"""What is asked of an engine for a container, by an engine that only writes it down; the real one is in tests/live."""

import json
import socket
import tempfile
import time
from types import SimpleNamespace

import pytest

from detector.adapters import image as adapter
from detector.contract import SCHEMAS, Telemetry, Unsupported, detector
from detector.fenced import Failed, Limits

pytest.importorskip("docker", reason="docker's SDK for Python is not installed")

TELEMETRY = Telemetry({name: schema.empty_table() for name, schema in SCHEMAS.items()}, (0, 1), partial="cut")
LINE = {
    "analytic": "AN1793",
    "device": "phone-01",
    **dict.fromkeys(("first_seen", "last_seen", "decided_at"), "2026-03-02T00:00:00Z"),
    **{"score": 0.5, "alert": True, "severity": "low", "detector": "theirs", "detector_version": "1"},
}
FINDING = json.dumps(LINE).encode() + b"\n"


class Container:
    """One that says these pieces and ends with this code."""

    def __init__(self, engine, settings):
        self.engine, self.settings, self.labels = engine, settings, settings["labels"]
        self.attrs = {"State": {"OOMKilled": engine.oom}}
        self.killed = False

    def attach(self, **how):
        assert how == {"stdout": True, "stderr": True, "stream": True, "demux": True}
        self.engine.did.append("attach")
        for piece in self.engine.pieces:
            if self.killed:
                return
            yield piece
        while self.engine.sleeps and not self.killed:
            time.sleep(0.01)

    def start(self):
        self.engine.did.append("start")

    def kill(self):
        self.killed = True

    def wait(self, timeout):
        return {"StatusCode": self.engine.code}

    def reload(self):
        pass

    def remove(self, *, force, v):
        assert force
        assert v
        self.engine.there.remove(self)


class Engine:
    def __init__(self):
        self.pieces, self.code, self.oom, self.sleeps = [(FINDING, None), (FINDING, b"talk")], 0, False, False
        self.there, self.made, self.did = [], [], []
        self.containers = SimpleNamespace(create=self.create, list=self.list)
        self.images = SimpleNamespace(get=lambda name: SimpleNamespace(id="sha256:0123456789abcdef"))

    def create(self, image, **settings):
        self.made.append((image, settings))
        self.there.append(Container(self, settings))
        return self.there[-1]

    def list(self, *, all, filters):  # noqa: A002 - the SDK's word
        key, _, value = filters["label"].partition("=")
        return [one for one in self.there if key in one.labels and (not value or one.labels[key] == value)]

    def close(self):
        self.did.append("close")


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr("docker.DockerClient", lambda **where: made)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/sock")
        listening.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/sock")
        yield made


def test_a_container_is_made_without_network_rights_or_anything_to_write(engine):
    list(detector("image:theirs:1").detect(TELEMETRY))
    ((image, settings),) = engine.made
    assert image == "sha256:0123456789abcdef"
    assert settings["network_mode"] == "none"
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in settings["security_opt"]
    assert settings["mem_limit"] == settings["memswap_limit"] == 4 << 30
    assert settings["pids_limit"] == 512
    (volume,) = settings["volumes"].values()
    assert volume == {"bind": "/telemetry", "mode": "ro"}
    assert settings["log_config"] == {"type": "none"}


def test_findings_are_signed_and_the_container_is_gone(engine):
    found = list(detector("image:theirs:1").detect(TELEMETRY))
    assert [(one.detector, one.detector_version, one.partial) for one in found] == [
        ("image:theirs:1", "0123456789ab", True)
    ] * 2
    assert engine.there == []
    assert engine.did[-1] == "close"


@pytest.mark.parametrize(
    ("change", "fault", "said"),
    [
        ({"code": 127}, Unsupported, "talk"),
        ({"code": 3}, Failed, "ended with code 3: talk"),
        ({"oom": True, "code": 137}, Failed, "held more than"),
        ({"pieces": [(b"junk\n", None)]}, Failed, "line 1: no finding"),
        ({"pieces": [(b"x" * 200, None)] * 10}, Failed, "wrote more than 1,000 bytes"),
        ({"pieces": [(None, b"x" * 200)] * 10}, Failed, "wrote more than 1,000 bytes"),
        ({"sleeps": True}, Failed, "longer than 0.2 s"),
    ],
)
def test_each_other_end_is_told_and_leaves_nothing(engine, change, fault, said):
    from dataclasses import replace

    vars(engine).update(change)
    one = detector("image:theirs:1")
    small = Limits(seconds=0.2, output=1000) if "junk" not in said else Limits()
    with pytest.raises(fault, match=said):
        list(replace(one, limits=small).detect(TELEMETRY))
    assert engine.there == []


def test_an_engine_that_refuses_has_failed_and_leaves_nothing(engine):
    from docker.errors import APIError

    def refuse(image, **settings):
        Engine.create(engine, image, **settings)
        raise APIError("500", explanation="no space left on device")

    engine.containers.create = refuse
    with pytest.raises(Failed, match=r"theirs:1 could not be run: no space left"):
        list(detector("image:theirs:1").detect(TELEMETRY))
    assert engine.there == []


def test_what_the_dead_left_goes_and_what_the_living_have_stays(engine):
    mine, theirs = adapter._owner(), "0-boot 4 17"
    for owner in (mine, theirs, "junk"):
        engine.create("x", labels={adapter.LABEL: owner, f"{adapter.LABEL}.owner": owner})
    engine.create("x", labels={"somebody.else": "1"})
    list(detector("image:theirs:1").detect(TELEMETRY))
    assert [one.labels.get(adapter.LABEL) for one in engine.there] == [mine, None]


def test_an_image_that_is_not_there_is_not_fetched(engine):
    from docker.errors import ImageNotFound

    engine.images.get = lambda name: (_ for _ in ()).throw(ImageNotFound("no"))
    with pytest.raises(LookupError, match="found no image 'absent' on the engine; docker build -t absent"):
        detector("image:absent")


def test_without_an_argument_or_an_engine_of_this_machine_it_says_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(LookupError, match="expected image:NAME"):
        detector("image")
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(Unsupported, match="another machine"):
        detector("image:x")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(Unsupported, match=r"no Docker engine answers at .*apt-get install docker\.io"):
        detector("image:x")
