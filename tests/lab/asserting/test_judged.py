"""Every item of a scorecard has a name of its own, and its end is that of the scorecard."""

from dataclasses import replace

from lab.asserting.judged import judged
from lab.gate.grammar import parse
from lab.gate.settings import Settings
from lab.gate.specimen import DETECTOR, card_of, specimen


def ends(trials, settings=None, baseline=None):
    found = judged(card_of(trials), (DETECTOR,), ("full",), settings, baseline)
    assert len({one.name for one in found}) == len(found)
    assert all(one.lines for one in found)
    return {one.name.removeprefix(f"{DETECTOR}::full::"): one.end for one in found}


def test_every_incident_the_evidence_and_the_budget():
    found = ends(specimen())
    assert len(found) == 2 + 24
    assert set(found.values()) == {"held"}
    assert list(found)[:2] == ["evidence", "false_alarms_per_device_day <= budget"]


def test_one_failed_trial_is_an_error_of_its_incidents_and_of_the_evidence():
    first, *rest = specimen()
    found = ends([replace(first, status="failed", reason="crashed", findings=(), judged=()), *rest])
    wrong = sorted(name for name, end in found.items() if end == "no-evidence")
    assert [name.partition("::")[0] for name in wrong] == ["evidence", "specimen-00-s1", "specimen-00-s1"]


def test_what_is_unseen_is_skipped():
    first, *rest = specimen()
    hidden = replace(first, findings=(), unseen=tuple(one.incident for one in first.truth.incidents))
    found = ends([hidden, *rest])
    assert sum(end == "skipped" for end in found.values()) == 2
    assert found["evidence"] == "held"


def test_thresholds_with_a_baseline_name_what_was_lost():
    before, lost = specimen(), [replace(one, findings=()) for one in specimen()[:1]] + specimen()[1:]
    settings = Settings((parse("polling.recall no-loss"),), "test")
    baseline = card_of(before)
    found = ends(lost, settings, baseline)
    assert found["polling.recall no-loss"] == "broken"
    assert sum(end == "told" for end in found.values()) == 2
    assert ends(before, settings, baseline)["polling.recall no-loss"] == "held"
    assert ends(before, settings)["any::any::polling.recall no-loss"] == "no-evidence"
