"""A known scenario is recorded, imitated and recorded again: the copy keeps period, sizes and law of the original."""

from __future__ import annotations

import json
import tomllib

import pytest
from typer.testing import CliRunner

from lab.authoring.from_capture import Wanted, candidates
from lab.authoring.from_capture_text import PACKAGE
from lab.catalogue.expectation import prove_recording
from lab.catalogue.imitating import propose
from lab.cli import app
from lab.detection import read
from lab.errors import EvidenceError, ScenarioError
from lab.scenario import compile_scenario, load_scenario, parse_scenario
from lab.stages import play

WORLD = """question = "Is it imitated?"
span = "{span}"
devices = 1
[state]
profile = "office-worker"
[[app]]
package = "com.orchard.torchlight"
category = "tools"
exempt = true
[[app.behaviour]]
{settings}
"""
KNOWN = {
    "tls": (
        "4h",
        "http-poll",
        'period = "2m"\njitter = 0.4\nup = 700\ndown = 500\nspread = 0.2\ntask_probability = 0.0',
    ),
    "clear": (
        "6h",
        "periodic-sync",
        'tls = false\nperiod = "3m"\nflex = 0.3\nwake = "service"\nup = 900\ndown = 4000\nnews_probability = 0.0',
    ),
    "kept": (
        "2h",
        "http-poll",
        'period = "30s"\nlaw = "fixed"\nkeep = "5m"\nup = 400\ndown = 300\ntask_probability = 0.0',
    ),
    "dns": ("6h", "dns-poll", 'period = "90s"\nlaw = "exponential"\ntask_probability = 0.0'),
    "websocket": (
        "3h",
        "websocket-poll",
        'tls = false\nport = 80\nperiod = "70s"\njitter = 0.3\ntask_probability = 0.0',
    ),
}
QUIET = {"allow_partial": False, "advance": lambda _done, _total: None}


def recorded(scenario, folder, seed=1):
    return play("wire", compile_scenario(scenario, seed), folder)


def known(name, folder):
    span, kind, settings = KNOWN[name]
    text = WORLD.format(span=span, settings=f'kind = "{kind}"\n{settings}')
    return recorded(parse_scenario(text.encode(), name=name, place=name), folder)


def measured(folder, name):
    """The candidate that imitates it: look-ups are the resolver's and bear no app."""
    wanted = Wanted() if name == "dns" else Wanted(app=PACKAGE)
    return next(
        one for one in candidates(read(folder, **QUIET), wanted) if (one.group.protocol == "dns") == (name == "dns")
    )


@pytest.mark.parametrize("name", KNOWN)
def test_the_copy_keeps_period_sizes_and_law(name, tmp_path):
    known(name, tmp_path / "known")
    made = propose(tmp_path / "known", tmp_path / "copy.toml", Wanted(), label="AN1793", **QUIET)
    assert made.path, made.told()
    copy = load_scenario(made.path)
    recording = recorded(copy, tmp_path / "copy", seed=7)
    assert all(proof.ok for proof in prove_recording(copy, recording))
    again = measured(tmp_path / "copy", name)
    first = made.chosen
    assert again.law.shape == first.law.shape
    assert again.law.mean_s == pytest.approx(first.law.mean_s, rel=0.25 if name == "dns" else 0.1)
    assert again.sizes.up == pytest.approx(first.sizes.up, rel=0.1)
    assert again.sizes.down == pytest.approx(first.sizes.down, rel=0.1)
    assert again.group.protocol == first.group.protocol


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capture") / "known"
    known("tls", folder)
    return folder / "telemetry/capture.pcap"


def ask(*words):
    return CliRunner().invoke(app, ["scenario", "new", *(str(word) for word in words)])


def test_it_is_benign_until_somebody_says_otherwise(capture, tmp_path):
    answer = ask("mine", "--from-capture", capture, "-o", tmp_path / "mine.toml", "--json")
    assert answer.exit_code == 0, answer.stderr
    told = json.loads(answer.stdout)
    text = (tmp_path / "mine.toml").read_text()
    assert told["path"] == str(tmp_path / "mine.toml")
    assert told["behaviour"] == "periodic-sync"
    assert told["measured"]["law"]["name"] == "cobalt-strike"
    assert "label" not in tomllib.loads(text)["app"][0]["behaviour"][0]
    assert text.count("QUESTION") >= 4
    assert "ASSUMED: Doze does not hold it back; the capture does not show Doze" in text
    labelled = ask("other", "--from-capture", capture, "-o", tmp_path / "other.toml", "--label", "AN1793")
    assert labelled.exit_code == 0
    assert tomllib.loads((tmp_path / "other.toml").read_text())["app"][0]["behaviour"][0]["label"] == "AN1793"
    assert str(capture.parent) not in text


def test_what_cannot_be_measured_is_told_with_the_next_command(capture, tmp_path):
    whole = capture.read_bytes()
    for name, content in (("cut", whole[: len(whole) // 2 + 1]), ("empty", b""), ("bare", whole[:24])):
        (tmp_path / f"{name}.pcap").write_bytes(content)
        answer = ask("mine", "--from-capture", tmp_path / f"{name}.pcap", "-o", tmp_path / "mine.toml", "--json")
        assert answer.exit_code == 3, name
        assert f"droidrange inspect {tmp_path / name}.pcap --allow-partial" in answer.stderr
        assert not answer.stdout
    answer = ask("mine", "--from-capture", tmp_path / "cut.pcap", "-o", tmp_path / "mine.toml", "--allow-partial")
    assert answer.exit_code == 0
    assert "# PARTIAL EVIDENCE" in (tmp_path / "mine.toml").read_text()


def test_wrong_words_are_usage(capture, tmp_path):
    place = ("-o", tmp_path / "mine.toml")
    for words, said in (
        (("--label", "AN1702"), "expected AN1793"),
        (("--peer", "nobody.example"), "peer 'nobody.example': found nobody"),
        (("--device", "10.0.0.1"), "device '10.0.0.1': found nobody"),
    ):
        answer = ask("mine", "--from-capture", capture, *place, *words)
        assert answer.exit_code == 2
        assert said in " ".join(answer.stderr.replace("│", " ").split())
    assert ask("mine", "--peer", "x.example").exit_code == 2
    assert ask("mine", "--from-capture", tmp_path / "gone.pcap", *place).exit_code == 2
    assert ask("Bad Name", "--from-capture", capture).exit_code == 2
    assert not (tmp_path / "mine.toml").exists()


def test_several_that_fit_are_listed_and_nothing_is_written(tmp_path):
    text = WORLD.format(span="2h", settings='kind = "http-poll"\nperiod = "1m"\nlaw = "fixed"')
    scenario = parse_scenario(text.replace("devices = 1", "devices = 2").encode(), name="two", place="two")
    recorded(scenario, tmp_path / "two")
    answer = ask("mine", "--from-capture", tmp_path / "two", "-o", tmp_path / "mine.toml", "--json")
    told = json.loads(answer.stdout)
    assert answer.exit_code == 2
    assert told["path"] is None
    assert {one["device"] for one in told["candidates"]} == {"phone-01", "phone-02"}
    assert "name one with --peer" in answer.stderr
    assert not (tmp_path / "mine.toml").exists()
    lines = ask("mine", "--from-capture", tmp_path / "two", "-o", tmp_path / "mine.toml").stdout
    assert "contacts, every 60 s (median)" in lines
    chosen = ask("mine", "--from-capture", tmp_path / "two", "-o", tmp_path / "mine.toml", "--device", "phone-02")
    assert chosen.exit_code == 0, chosen.stderr


def test_errors_are_those_of_who_must_act(capture, tmp_path):
    with pytest.raises(ScenarioError, match="found nobody with 8 contacts"):
        propose(capture, tmp_path / "x.toml", Wanted(peer="nobody.example"), label="", **QUIET)
    (tmp_path / "empty.pcap").touch()
    with pytest.raises(EvidenceError, match="found an empty file"):
        propose(tmp_path / "empty.pcap", tmp_path / "x.toml", Wanted(), label="", **QUIET)
