"""A scorecard accepted: slim, with the reason, with what it replaced; a gate reads it as any other."""

import json

import pytest

from lab.errors import EvidenceError, ScenarioError
from lab.gate.accepting import accept, digest
from lab.gate.evidence import read_card


@pytest.fixture
def stored(gates, tmp_path):
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(gates.card(gates.spoiled(gates.trials(), noise=[gates.scenario(0)]))))
    return path


def test_what_is_accepted_is_compared_as_before(gates, stored, tmp_path):
    out = tmp_path / "accepted.json"
    entry = accept(stored, "  first   release ", out)
    card = read_card(out)
    assert (entry["reason"], entry["replaces"], card["accepted"]) == ("first release", None, [entry])
    assert all("reasons" not in row for part in ("incidents", "false_alarms") for row in card[part])
    whole = read_card(stored)
    assert gates.gate(whole, "recall no-loss", "false_alarms no-loss", baseline=card).exit_code == 0
    assert gates.gate(card, "recall no-loss", "false_alarms <= 1", baseline=whole).exit_code == 0


def test_decisions_are_kept(gates, stored, tmp_path):
    out = tmp_path / "accepted.json"
    first = accept(stored, "first", out)
    stored.write_text(json.dumps(gates.card(gates.trials())))
    second = accept(stored, "quieter", out)
    card = json.loads(out.read_text())
    assert [one["reason"] for one in card["accepted"]] == ["first", "quieter"]
    assert second["replaces"] == first["sha256"] != second["sha256"] == digest(card)


def test_accepting_what_is_accepted_adds_no_old_decisions(stored, tmp_path):
    out, other = tmp_path / "accepted.json", tmp_path / "other.json"
    accept(stored, "first", out)
    accept(out, "copied", other)
    assert [one["reason"] for one in json.loads(other.read_text())["accepted"]] == ["copied"]


@pytest.mark.parametrize("reason", ["", "  ", "ok"])
def test_a_reason_is_asked_for(stored, tmp_path, reason):
    with pytest.raises(ScenarioError, match="why this is good enough"):
        accept(stored, reason, tmp_path / "accepted.json")
    assert not (tmp_path / "accepted.json").exists()


def test_what_is_no_evidence_is_not_accepted(stored, tmp_path):
    card = json.loads(stored.read_text())
    card["incidents"].pop()
    stored.write_text(json.dumps(card))
    with pytest.raises(EvidenceError):
        accept(stored, "all is well", tmp_path / "accepted.json")
    assert not (tmp_path / "accepted.json").exists()


@pytest.mark.parametrize("content", ["notes", "[]", "{}", '{"judgements": [], "accepted": 3}'])
def test_something_else_is_not_overwritten(stored, tmp_path, content):
    out = tmp_path / "notes.json"
    out.write_text(content)
    with pytest.raises(ScenarioError, match="holds something that is no scorecard"):
        accept(stored, "first", out)
    assert out.read_text() == content
