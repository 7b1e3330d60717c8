"""Recording from the command line: the days before a scenario, poison, fleets, and what is refused."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.cli_record import in_words
from lab.recording import open_recording

DAY = 86_400_000_000


@pytest.fixture
def ask(tmp_path, torch_file):
    (tmp_path / "tiny.toml").write_text(torch_file("1h", 2, beside=["periodic-sync"]))

    def asked(command, *words):
        words = [command, str(tmp_path / "tiny.toml"), *map(str, words), "-o", str(tmp_path / "made")]
        return CliRunner().invoke(app, words)

    asked.made = tmp_path / "made"
    return asked


def test_the_past_is_an_ordinary_recording_of_the_days_before(ask):
    answer = ask("record", "--past", "36h", "--json")
    assert answer.exit_code == 0, answer.output
    summary, made = json.loads(answer.stdout), open_recording(ask.made)
    assert summary["past"] == {"learn_s": 129_600.0, "poison": 0.0, "novel": 0.01}
    assert (made.stage, made.span_s) == ("flows", 129_600.0)
    assert made.start == 1_772_409_600_000_000 - 3 * DAY // 2
    assert made.truth().incidents == ()
    assert len(made.truth().devices) == 2


def test_a_person_is_told_in_words(ask):
    answer = ask("record", "--past", "36h", "--poison", 0.25, "--novel", 0.125, "--devices", 3)
    assert answer.exit_code == 0, answer.output
    said = dict(line.split(":", 1) for line in answer.stdout.splitlines())
    assert {what: words.strip() for what, words in said.items() if what in {"scenario", "stage", "span", "past"}} == {
        "scenario": "tiny, seed 1, 3 phones",
        "stage": "flows",
        "span": "1 d 12 h",
        "past": "the 1 d 12 h before the scenario, of what is labelled 25% was there, 12.5% of its look-alikes not yet",
    }
    assert said["packets"].strip() == "none, tables only"
    assert not set("{}[]") & set(answer.stdout)
    assert "None" not in answer.stdout


def test_what_there_is_nothing_to_say_of_is_left_out():
    plain = {"recording": "a", "scenario": "b", "seed": 1, "stage": "wire", "span_s": 60, "speed": 1, "packets": 1_234}
    plain |= {"bytes": 5_000, "sha256": "00", "partial": None}
    assert [what for what, _ in in_words(plain)] == [
        *("recording", "scenario", "stage", "span", "packets", "size", "sha256"),
    ]
    said = dict(
        in_words(
            plain | {"speed": 60.0, "not_played": ["loss"], "partial": "cut", "past": {"learn_s": 7200, "poison": 0}}
        )
    )
    assert (said["packets"], said["stage"], said["not played"]) == ("1,234", "wire at 60 times its pace", "loss")
    assert (said["past"], said["partial"]) == ("the 2 h before the scenario, nothing labelled", "cut")


def test_poison_puts_what_is_labelled_there_and_a_fleet_is_as_large_as_asked(ask):
    answer = ask("record", "--past", "2h", "--poison", 1, "--devices", 4)
    assert answer.exit_code == 0, answer.output
    truth = open_recording(ask.made).truth()
    assert len(truth.devices) == 4
    assert len(truth.incidents) == 2  # on as many phones as written


def test_without_a_past_nothing_is_said_of_one(ask):
    answer = ask("record", "--stage", "flows", "--json")
    assert "past" not in json.loads(answer.stdout)
    assert "past" not in json.loads((ask.made / "recording.json").read_bytes())


@pytest.mark.parametrize("stage", ["flows", "wire"])
def test_an_enlarged_fleet_is_told_so_that_it_can_be_made_again(ask, stage):
    assert ask("record", "--stage", stage).exit_code == 0
    written, alone = open_recording(ask.made), (ask.made / "recording.json").read_bytes()
    assert "devices" not in json.loads(alone)
    assert (written.devices, "devices" in written.summary()) == (0, False)
    assert ask("record", "--stage", stage, "--devices", 4, "--force").exit_code == 0
    large, manifest = open_recording(ask.made), (ask.made / "recording.json").read_bytes()
    assert (large.devices, large.summary()["devices"], len(large.truth().devices)) == (4, 4, 4)
    assert large.scenario_sha256 == written.scenario_sha256  # so nothing else tells them apart
    assert ask("record", "--stage", stage, "--devices", large.devices, "--force").exit_code == 0
    assert (ask.made / "recording.json").read_bytes() == manifest


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("record", "--past", "3x"), "'--past': found '3x', expected a duration such as '30s', '5m' or '2h'"),
        (("run", "--learn", "soon"), "'--learn': found 'soon', expected a duration"),
        (("record", "--past", "0s"), "past: found 0 days, expected more than 0 and at most 366 days"),
        (("run", "--learn", "400d"), "past: found 400 days, expected more than 0 and at most 366 days"),
        (("record", "--poison", 0.5), "--poison: found 0.5 without a past, expected --learn or --past with it"),
        (("run", "--poison", 0.5), "--poison: found 0.5 without a past"),
        (("record", "--novel", 0.5), "--novel: found 0.5 without a past, expected --learn or --past with it"),
        (("run", "--novel", 0), "--novel: found 0 without a past, expected --learn or --past with it"),
        (("tune", "--novel", 0.5), "--novel: found 0.5 without a past, expected --learn or --past with it"),
        (("run", "--learn", "1d", "--novel", "nan"), "novel: found nan, expected from 0 to 1"),
        (("run", "--learn", "1d", "--poison", 1.5), "poison: found 1.5, expected from 0 to 1"),
        (("run", "--learn", "1d", "--poison", "nan"), "poison: found nan, expected from 0 to 1"),
        (("run", "--devices", 0), "devices: found 0, expected from 1 to 100,000"),
        (("record", "--past", "1d", "--speed", 2), "stage flows: found --speed, which it does not have; it has none"),
        (("record", "--past", "1d", "--stage", "live"), "--stage: found live with --past, expected flows"),
        (("record", "--past", "1d", "--stage", "nonesuch"), "--stage: found nonesuch with --past, expected flows"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_found_and_expected(ask, words, fault):
    answer = ask(*words)
    assert answer.exit_code == 2
    told = " ".join(answer.stderr.replace("│", " ").split())
    assert fault in told
    assert not ask.made.exists() or not any(ask.made.iterdir())
