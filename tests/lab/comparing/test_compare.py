"""A comparison of files: what is refused, and what is compared anyway."""

import json

import pytest

from lab.comparing.compare import compare, compared
from lab.errors import EvidenceError
from lab.gate.selection import Card


@pytest.fixture
def store(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


def test_two_files(made, store):
    found = compare(store("a.json", made.content()), store("b.json", made.content(lost=range(8)))).to_json()
    assert found["same_recordings"]
    assert found["a"]["scenarios_compared"] == found["b"]["scenarios_compared"] == 12
    assert [one["metric"] for one in found["changes"] if one["significant"]] == ["recall", "recall"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_other_suites_and_versions_are_refused_unless_told(made, store):
    other = made.content(software="9.9")
    other["suite"] = "full"
    paths = store("a.json", made.content()), store("b.json", other)
    with pytest.raises(EvidenceError, match="suite: A is of specimen, B of full; droidrange: A was made with specimen"):
        compare(*paths)
    found = compare(*paths, anyway=True).to_json()
    assert len(found["differences_beside_detectors"]) == 2
    assert len(found["changes"]) == 10


def test_changed_scenarios_are_refused_unless_told(made):
    other = made.content(lost=range(8))
    other["evidence"]["scenarios"]["specimen-00"] = "1" * 64
    with pytest.raises(EvidenceError, match=r"1 changed between the two, such as specimen-00; --anyway"):
        compared(made.card(), Card(other, "b"))
    found = compared(made.card(), Card(other, "b"), anyway=True)
    assert all(not one.reason for one in found.changes)


def test_another_stage_anyway(made):
    other = made.content(lost=range(8))
    for part in ("incidents", "judgements", "played", "false_alarms"):
        for row in other[part]:
            row["stage"] = "wire"
    found = compared(Card(other, "a"), made.card(), anyway=True)
    assert {one.better for one in found.changes if one.metric == "recall"} == {True}


def test_nothing_in_common_is_refused(made):
    other = made.content()
    for part in ("incidents", "judgements", "played", "false_alarms"):
        for row in other[part]:
            row["scenario"] += "-else"
    with pytest.raises(EvidenceError, match="no scenario in common"):
        compared(made.card(), Card(other, "b"))
    two = made.content()
    two["detectors"]["another"] = two["detectors"]["specimen"]
    with pytest.raises(EvidenceError, match="no detector and view in common: A has one, B has another and specimen"):
        compared(Card(made.rename(made.content(), "one"), "a"), Card(two, "b"))


@pytest.mark.parametrize("content", [None, "[]", "{}"])
def test_what_is_no_evidence_is_refused(made, store, tmp_path, content):
    path = tmp_path / "b.json"
    if content:
        path.write_text(content)
    with pytest.raises(EvidenceError):
        compare(store("a.json", made.content()), path)


def test_a_failed_trial_is_no_evidence(made, store):
    from dataclasses import replace

    from lab.gate.specimen import card_of

    trials = made.trials()
    trials[0] = replace(trials[0], status="failed", findings=())
    with pytest.raises(EvidenceError, match="1 of 12 trials failed"):
        compare(store("a.json", made.content()), store("b.json", card_of(trials)))
