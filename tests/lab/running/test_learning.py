"""Runs that learn: the past of each fleet is recorded, seen through the trial's view, and put beside its telemetry."""

import json

import pytest
from typer.testing import CliRunner

from detector.contract import detector as detector_named
from lab.cli import app
from lab.errors import ScenarioError
from lab.recording import open_recording, recording_hash
from lab.running import look as looking
from lab.running import trial
from lab.running.learning import Lessons, lessons
from lab.running.run import read_run, score_folder
from lab.running.trial import Plan, run_suite
from lab.scenario import enlarged, parse_scenario
from lab.world.past import DAY, Past

LEARN = Past(DAY)


@pytest.fixture
def text(torch_file):
    return torch_file("2h", 2, beside=["web-browsing", "periodic-sync"])


@pytest.fixture
def tiny(text):
    return parse_scenario(text.encode(), name="tiny", place="tiny.toml")


@pytest.fixture
def seen(monkeypatch):
    """The telemetry that each look was given: (detector, view, telemetry)."""
    looks = []

    def noted(name):
        one = detector_named(name)
        plain = one.detect

        def detect(telemetry):
            looks.append((name, telemetry))
            return plain(telemetry)

        one.detect = detect
        return one

    monkeypatch.setattr(looking, "detector_named", noted)
    monkeypatch.setattr(trial, "CONTROLS", ())
    return looks


@pytest.fixture
def run(tiny):
    def ran(folder, **how):
        plan = Plan("tiny", (tiny,), (1,), "flows", ("always",), **{"views": ("full", "no-app"), "past": LEARN, **how})
        return run_suite(plan, folder, workers=1)

    return ran


def test_each_view_is_given_what_it_learned_itself(run, seen, tmp_path):
    assert {row["status"] for row in run(tmp_path)} == {"scored"}
    learned = {one.view: one.baseline for _, one in seen}
    assert {view: one.view for view, one in learned.items()} == {"full": "full", "no-app": "no-app"}
    assert {one.devices for one in learned.values()} == {2}
    before = open_recording(tmp_path / "pasts/tiny-s1")
    for one in learned.values():
        ((since, until),) = one.spans
        assert before.start <= since < until <= before.start + DAY
        assert not one.itself


def test_without_learning_there_is_none_and_nothing_says_so(run, seen, tmp_path):
    run(tmp_path, past=None)
    assert [one.baseline for _, one in seen] == [None, None]
    assert not (tmp_path / "pasts").exists()
    assert not {"learn_s", "poison", "novel", "devices", "pasts"} & read_run(tmp_path).keys()
    assert not {"learn_s", "poison", "novel", "devices"} & score_folder(tmp_path).to_json().keys()


def test_what_was_learned_from_is_said(run, seen, tmp_path):
    run(tmp_path, past=Past(DAY, 0.25, 0.125), devices=2)
    content, card = read_run(tmp_path), score_folder(tmp_path).to_json()
    for said in (content, card):
        assert [said[name] for name in ("devices", "learn_s", "poison", "novel")] == [2, 86_400.0, 0.25, 0.125]
    assert content["pasts"] == {"tiny-s1": recording_hash(tmp_path / "pasts/tiny-s1")}
    report = (tmp_path / "report.html").read_text()
    assert "learned from 1 d before, each labelled behaviour there with probability 0.25, what imitates one" in report
    assert seen


def test_what_a_detector_is_given_tells_nothing_of_poison(run, seen, tmp_path):
    run(tmp_path / "clean")
    run(tmp_path / "dirty", past=Past(DAY, 1.0))
    clean, dirty = ([vars(one) for name, one in seen[at : at + 2]] for at in (0, 2))
    for one, two in zip(clean, dirty, strict=True):
        assert one["baseline"] != two["baseline"]
        assert {name for name in one if name != "tables" and one[name] != two[name]} == {"baseline"}
        assert all(one["tables"][name].equals(two["tables"][name]) for name in one["tables"])


def test_a_past_is_used_again_until_it_would_be_another(run, seen, tmp_path, monkeypatch):
    played, plain = [], trial.record

    def record(stage, scenario, seed, folder, **how):
        played.append((folder.parent.name, stage))
        return plain(stage, scenario, seed, folder, **how)

    monkeypatch.setattr(trial, "record", record)
    for how in (
        {},
        {},
        {"past": Past(DAY, 0.5)},
        {"past": Past(DAY // 2, 0.5)},
        {"past": Past(DAY // 2, 0.5, 0.5)},
        {"past": None},
    ):
        run(tmp_path, views=("full",), **how)
    assert played == [("recordings", "flows"), *[("pasts", "flows")] * 4]
    run(tmp_path, views=("full",), devices=2)
    assert played[5:] == [("recordings", "flows"), ("pasts", "flows")]


def test_where_learning_fails_no_trial_is_held(run, seen, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.running.learning.learned", lambda telemetry: 1 / (telemetry.view == "full"))
    rows = run(tmp_path)
    assert {row["view"]: row["status"] for row in rows} == {"full": "scored", "no-app": "failed"}
    assert "learning: ZeroDivisionError" in rows[1]["reason"]
    assert [one.view for _, one in seen] == ["full"]


def test_a_past_that_cannot_be_taken_fails_every_view():
    def take():
        raise OSError("disk full")

    found = lessons(("full", "no-app"), take)
    assert found.digest is None
    assert {found.of(view).status for view in ("full", "no-app")} == {"failed"}
    assert Lessons().of("full").value is None


def test_the_command_learns_end_to_end(text, tmp_path):
    (tmp_path / "tiny.toml").write_text(text)
    asked = ["--stage", "flows", "--learn", "18h", "--poison", "0.3", "--novel", "0.2", "--devices", "3", "--json"]
    done = CliRunner().invoke(app, ["run", str(tmp_path / "tiny.toml"), *asked, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    assert (card["devices"], card["learn_s"], card["poison"], card["novel"]) == (3, 64_800.0, 0.3, 0.2)
    assert card["trials"]["failed"] == 0
    assert len(open_recording(tmp_path / "run/pasts/tiny-s1").truth().devices) == 3


def test_fleets_keep_the_labelled_apps_as_rare_as_written(tiny):
    (made,) = enlarged([tiny], 9)
    assert (made.devices, [app.on for app in made.apps]) == (9, [2, 9])
    assert enlarged([tiny], None) == (tiny,)
    assert [app.on for app in enlarged([tiny], 1)[0].apps] == [1, 1]
    with pytest.raises(ScenarioError, match="devices: found 0, expected from 1 to 100,000"):
        enlarged([tiny], 0)
