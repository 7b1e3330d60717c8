"""Answers beside findings: written whole, proved by their hash, and never a verdict."""

import json
from types import SimpleNamespace

import pytest

from detector.contract import Telemetry
from detector.explanation import Explanation
from lab.errors import EvidenceError
from lab.running import asked
from lab.running.asked import answers, explained_place, keep_answers, read_answers

ROW = {"detector": "speaking", "view": "full"}


def speaking(explain):
    return SimpleNamespace(name="speaking", version="1", needs=(), detect=lambda _: (), explain=explain)


@pytest.fixture
def ask(make, monkeypatch):
    def told(one, judged=("AN1793",)):
        monkeypatch.setattr(asked, "detector_named", lambda _: one)
        lines = answers(ROW, Telemetry({}, (0, 1)), make.truth(make.incident()), judged, None)
        return [json.loads(line) for line in lines.splitlines()]

    return told


def test_a_detector_is_asked_about_every_incident_it_judged(ask, make):
    (row,) = ask(speaking(lambda _, about: Explanation(about, "below", "scored 0.1", 0.1, 0.5)))
    assert (row["incident"], row["outcome"], row["score"]) == (make.incident().incident, "below", 0.1)
    assert "findings" not in row


def test_one_that_cannot_explain_itself_or_did_not_judge_says_nothing(ask):
    assert ask(SimpleNamespace(name="mute")) == []
    assert ask(speaking(lambda *_: pytest.fail("asked of what it did not judge")), judged=("AN1702",)) == []


def test_one_that_fails_at_it_is_scored_as_before(ask):
    assert ask(speaking(lambda *_: 1 / 0)) == []


def test_what_was_written_is_read_back_and_nothing_else(tmp_path):
    path = tmp_path / explained_place("full.jsonl")
    assert path.name == "full.explained.jsonl"
    row = keep_answers(path, b'{"incident": "a"}\n')
    assert read_answers(path, row) == [{"incident": "a"}]
    assert read_answers(path, {}) == []
    path.write_bytes(b'{"incident": "b"}\n')
    with pytest.raises(EvidenceError, match="changed since"):
        read_answers(path, row)
    assert keep_answers(path, b"") == {"explained_sha256": None}
    with pytest.raises(EvidenceError, match="not found"):
        read_answers(path, row)
