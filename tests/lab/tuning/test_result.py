"""What is told of a tuning: every number with its interval, and nothing that JSON has not."""

import json

import pytest

from lab.tuning.result import told_of
from lab.tuning.sweep import Tally


def test_json_says_what_was_chosen_and_how_it_does_elsewhere(lab):
    found = lab.tune(lambda seed: [0.4 + 0.05 * seed], lambda seed: [0.5 if seed == 2 else 0.1, 0.2], budget=0.002)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    (knob,) = told["knobs"]
    assert (told["schema_version"], told["detector"], told["budget"]) == (1, "graded", 0.002)
    assert knob["affordable_false_alarms"] == 1
    assert knob["inner"]["recall"] == knob["confirmed"]["recall"]
    assert knob["gap"]["recall"] == pytest.approx(knob["inner"]["recall"] - knob["outer"]["recall"])
    assert len(knob["curve"]) == 8
    assert len(knob["cells"]) == 16
    assert knob["interval"][0] <= knob["threshold"] <= knob["interval"][1]
    assert told["written"].endswith("tuned-graded.txt")


def test_a_tally_of_nothing_has_no_rates():
    told = told_of(Tally(0, 0, 0, 0.0))
    assert (told["recall"], told["recall_ci"], told["false_alarms_per_device_day"], told["fa_ci"]) == (None,) * 4
    assert told_of(None) is None


def test_intervals_are_wilsons_and_garwoods():
    told = told_of(Tally(81, 263, 10, 1.0))
    assert told["recall_ci"] == pytest.approx([0.2553, 0.3662], abs=5e-5)
    assert told["fa_ci"] == pytest.approx([4.7954, 18.3904], abs=5e-5)


def test_every_finding_affordable_is_told(lab):
    (one,) = lab.tune(lambda _seed: [0.9], lambda seed: [0.2] if seed == 1 else [], budget=0.01).knobs
    assert one.floor
    (other,) = lab.tune(lambda _seed: [0.9], lambda _seed: [0.2, 0.1], budget=0.01).knobs
    assert not other.floor
