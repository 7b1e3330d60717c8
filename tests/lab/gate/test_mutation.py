"""What of a configuration decides nothing is said; what decides is told apart; a silent detector proves nothing."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import EvidenceError, ScenarioError
from lab.gate import mutation as module
from lab.gate.mutation import Mutated, Mutation, Place, case, mutation
from lab.recording import recording_hash

CONFIG = """
threshold = 0.5
bystander = 3
allowed = ["com.example.none"]
flaw = 1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    answer = CliRunner().invoke(app, ["run", "smoke-poll", "--stage", "flows", "-o", str(folder)])
    assert answer.exit_code == 0, answer.output
    return folder


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(CONFIG)
    return path


@dataclass
class Toy:
    """Alarms at whoever always alarms at, if its threshold lets it; knows one value that decides nothing."""

    settings: dict
    name: str = "toy"
    version: str = "1"
    needs: tuple = ()

    def detect(self, telemetry):
        from dataclasses import replace

        from detector.contract import detector

        if self.settings["flaw"] > 1:
            raise ZeroDivisionError("by 0")
        score = 0.0 if self.settings.get("silent") else 0.55
        for found in detector("always").detect(telemetry) if score else ():
            yield replace(found, score=score, alert=score >= self.settings["threshold"])


@pytest.fixture
def toy(monkeypatch):
    """A detector named toy:FILE, for this process."""
    import tomllib

    import detector.contract
    import lab.running.look as looking

    real = detector.contract.detector

    def named(name):
        stem, _, argument = name.partition(":")
        if stem != "toy":
            return real(name)
        settings = tomllib.loads(Path(argument).read_text())
        if {"threshold", "bystander", "flaw"} - settings.keys():
            raise LookupError("lacks a key")
        return Toy(settings)

    monkeypatch.setattr(looking, "detector_named", named)
    monkeypatch.setattr(module, "detector_named", named)


def test_what_decides_and_what_does_not(run, config, toy):
    found = mutation(run, f"toy:{config}", workers=1)
    status = {(row.place, row.change): row.status for row in found.rows}
    assert status == {
        ("threshold", "0.5 -> 0.625"): "verdicts",
        ("threshold", "0.5 -> 0.4"): "nothing",
        ("threshold", "removed"): "refused",
        ("bystander", "3 -> 4"): "nothing",
        ("bystander", "3 -> 2"): "nothing",
        ("bystander", "removed"): "refused",
        ("allowed", 'without "com.example.none"'): "nothing",
        ("allowed", "removed"): "nothing",
        ("flaw", "1 -> 2"): "failed",
        ("flaw", "1 -> 0"): "nothing",
        ("flaw", "removed"): "refused",
    }
    assert found.idle == ["bystander", "allowed"]
    (decides,) = [row for row in found.rows if row.status == "verdicts"]
    assert (decides.lost > 0, decides.gained, decides.alarms < 0) == (True, 0, True)
    text = "\n".join(found.lines())
    assert "changes nothing here: bystander: 3 -> 4" in text
    assert "FAILS: flaw: 1 -> 2: ZeroDivisionError: by 0" in text
    assert "2 values decide nothing here: bystander, allowed" in text
    assert json.loads(json.dumps(found.to_json()))["idle"] == found.idle


def test_only_some_places(run, config, toy):
    assert {row.place for row in mutation(run, f"toy:{config}", only="by*", workers=1).rows} == {"bystander"}


def test_a_silent_detector_proves_nothing(run, config, toy):
    config.write_text(CONFIG + "silent = true\n")
    with pytest.raises(EvidenceError, match="says nothing on these recordings"):
        mutation(run, f"toy:{config}", workers=1)


def test_a_failing_detector_is_no_evidence(run, config, toy):
    config.write_text(CONFIG.replace("flaw = 1", "flaw = 2"))
    with pytest.raises(EvidenceError, match="failed: ZeroDivisionError"):
        case(place(run), f"toy:{config}", [], "full")


def place(run):
    folder = next((run / "recordings").glob("smoke*"))
    return Place(folder, recording_hash(folder))


@pytest.mark.parametrize("name", ["elastic", "rita:nowhere.toml", "builtin:nowhere.toml"])
def test_a_detector_without_a_file_has_nothing_to_mutate(run, name):
    with pytest.raises(ScenarioError, match="expected NAME:FILE"):
        mutation(run, name)


@pytest.fixture
def learned(run, tmp_path):
    """The run as if it had learned: from its own recording, which is past enough for a toy."""
    (name,) = (digests := json.loads((run / "run.json").read_text())["recordings"])
    for part in ("recordings", "pasts"):
        (tmp_path / "learned" / part).mkdir(parents=True)
        (tmp_path / "learned" / part / name).symlink_to(run / "recordings" / name)
    content = json.loads((run / "run.json").read_text())
    content |= {"learn_s": 28_800.0, "pasts": dict(digests)}
    (tmp_path / "learned" / "run.json").write_text(json.dumps(content))
    return tmp_path / "learned"


@dataclass
class Knowing(Toy):
    """A toy that speaks only if something was learned."""

    def detect(self, telemetry):
        yield from super().detect(telemetry) if telemetry.baseline is not None else ()


def test_mutants_of_a_run_that_learned_know_what_was_learned(run, learned, config, toy, monkeypatch):
    monkeypatch.setitem(globals(), "Toy", Knowing)
    with pytest.raises(EvidenceError, match="says nothing on these recordings"):
        mutation(run, f"toy:{config}", only="by*", workers=1)
    found = mutation(learned, f"toy:{config}", only="thr*", workers=1)
    assert [row.status for row in found.rows] == ["verdicts", "nothing", "refused"]


def test_a_past_that_is_not_the_one_learned_from_is_no_evidence(learned, config, toy):
    content = json.loads((learned / "run.json").read_text())
    for pasts, said in ((dict.fromkeys(content["pasts"], "0" * 64), "another recording"), ({}, "was not recorded")):
        (learned / "run.json").write_text(json.dumps({**content, "pasts": pasts}))
        with pytest.raises(EvidenceError, match=said):
            mutation(learned, f"toy:{config}", workers=1)


def test_no_file_is_mutated_in_place(run, config, toy):
    mutation(run, f"toy:{config}", workers=1)
    assert config.read_text() == CONFIG


def test_scores_alone_are_told_apart():
    rows = (
        Mutated("a", "removed", "scores"),
        Mutated("b", "removed", "verdicts", 1),
        Mutated("c", "removed", "refused"),
    )
    assert Mutation("x", "full", 1, rows).idle == ["a"]


def test_the_bundled_configuration_from_the_command_line(run):
    answer = CliRunner().invoke(app, ["mutate", str(run), "--only", "AN1793.rare_fleet", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert [row["status"] for row in found["mutants"]][-1] == "refused"
    assert CliRunner().invoke(app, ["mutate", str(run), "--detector", "silent"]).exit_code == 2
