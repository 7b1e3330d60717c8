"""A lab in miniature, for runs and trials: a stage that writes tiny recordings, and detectors made for the purpose."""

import dataclasses
import struct
from types import SimpleNamespace

import pyarrow as pa
import pytest

from detector.contract import Telemetry
from lab.errors import StageError
from lab.recording import seal, write_parquet
from lab.running import asked, look, trial
from lab.running.trial import Plan, run_suite
from lab.score import CONTROLS
from lab.truth import write_truth

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1, 0, 4, 4) + b"abcd"
PACKAGES = {"device": ["phone-01"], "uid": [10101], "package": ["com.example.torch"], "category": ["tools"]}
PACKAGES |= {"sanctioned": [False], "roles": [[]]}


@dataclasses.dataclass
class Fake:
    """A detector that does what its function does."""

    look: object
    name: str = "fake"
    version: str = "7"
    needs: tuple = ()

    def detect(self, telemetry):
        return self.look(telemetry)


def write_recording(folder, truth, scenario, seed):
    (folder / "telemetry").mkdir(parents=True)
    (folder / "truth").mkdir()
    (folder / "telemetry/capture.pcap").write_bytes(PCAP)
    write_parquet(folder / "telemetry/packages.parquet", pa.table(PACKAGES))
    write_truth(truth, folder / "truth")
    spoken = {
        "incident": [i.incident for i in truth.incidents] + [None],
        "behaviour": [i.behaviour for i in truth.incidents] + ["web-browsing"],
        "start": [truth.start for _ in truth.incidents] + [0],
        "end": [truth.start for _ in truth.incidents] + [0],
    }
    write_parquet(folder / "truth/flows.parquet", pa.table(spoken))
    about = {
        "scenario": scenario.name,
        "scenario_sha256": scenario.sha256,
        "twin_of": "",
        "seed": seed,
        "stage": "wire",
    }
    seal(folder, {**about, "start": truth.start, "span_s": truth.span / 1e6, "speed": 1.0})


def scenario(name="polling-plain"):
    return SimpleNamespace(name=name, sha256="0" * 64, varied_from="")


def plan(*scenarios, **changes):
    return Plan("core", scenarios or (scenario(),), **{"seeds": (1,), **changes})


@pytest.fixture
def lab(make, monkeypatch):
    """A lab whose stage writes tiny recordings; ``lab.detectors`` may be added to, ``lab.played`` counts."""
    finding = make.finding(decided_at=make.START + make.HOUR)
    loud = [finding, make.finding(package="com.example.news")]
    state = SimpleNamespace(
        fake=Fake,
        pcap=PCAP,
        plan=plan,
        run=lambda plan, folder: run_suite(plan, folder, workers=1),
        scenario=scenario,
        write=write_recording,
        played=[],
        packets=1,
        truth=None,
        detectors={
            **{name: Fake(lambda _: []) for name in CONTROLS},
            "always": Fake(lambda _: loud),
            "builtin": Fake(lambda _: [finding]),
        },
    )

    def record(_stage, scenario, seed, folder, **_options):
        state.played.append((scenario.name, seed))
        if scenario.name == "broken":
            raise StageError("cannot be played")
        one = make.incident(contacts=1)
        write_recording(folder, state.truth or make.truth(one, contacts={one.incident: (one.start,)}), scenario, seed)

    def named(name):
        if name not in state.detectors:
            raise LookupError(f"unknown detector '{name}'")
        return state.detectors[name]

    def views(name):
        return lambda telemetry: dataclasses.replace(telemetry, view=name)

    monkeypatch.setattr(trial, "record", record)
    monkeypatch.setattr(trial, "stage_names", lambda: ["wire"])
    for module in (trial, look, asked):
        monkeypatch.setattr(module, "detector_named", named)
        monkeypatch.setattr(module, "view_named", views)
    monkeypatch.setattr(trial, "open_telemetry", lambda _path: Telemetry({}, (0, 1), packets=state.packets))
    return state
