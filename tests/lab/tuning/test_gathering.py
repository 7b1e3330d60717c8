"""What a detector said as rows: once for each incident, once for each finding about none, worth what it decides."""

import numpy as np
import pytest

from lab.tuning.gathering import deciding, evidence
from lab.tuning.sweep import NEVER


def gathered(lab, trials, *, parted=True):
    one = lab.Graded()
    return evidence(trials, one, one.knobs[0], {1: 0, 2: 1}, parted=parted)


def test_an_incident_counts_by_its_best_and_without_a_finding_never(lab, make):
    found = [make.finding(score=score, alert=False) for score in (0.2, 0.4, 0.3)]
    said = gathered(lab, [make.trial(*found), make.trial(seed=2)])
    assert said.found.score.tolist() == [0.4, NEVER]
    assert said.found.seed.tolist() == [0, 1]
    assert not len(said.alarms)


def test_device_days_are_those_of_trials_that_judged_it(lab, make):
    other = make.trial(seed=2, judged=("AN1702",))
    said = gathered(lab, [make.trial(), other, make.trial(seed=2, scenario="lost", status="failed")])
    assert said.device_days == 2.0
    assert said.effort.sum() == pytest.approx(2.0)
    assert said.effort[1].sum() == 0.0


def test_packages_share_the_days_and_are_one_where_none_are_known(lab, make):
    said = gathered(lab, [make.trial()], parted=False)
    assert said.effort.tolist() == [[2.0], [0.0]]
    assert set(gathered(lab, [make.trial()]).found.package.tolist()) <= {0, 1, 2, 3}


def test_devices_of_two_casts_are_not_the_same(lab, make):
    said = gathered(lab, [make.trial(make.finding()), make.trial(make.finding(), seed=2)])
    assert said.found.device.tolist() == [0, 2]
    assert np.array_equal(said.days, [1.0] * 4)


def test_a_finding_about_an_unknown_device_is_an_alarm_all_the_same(lab, make):
    said = gathered(lab, [make.trial(make.finding(device="10.99.0.1"))])
    assert said.alarms.score.tolist() == [0.9]
    assert said.alarms.device.tolist() == [0]


def test_what_a_finding_is_worth(lab, make):
    one = lab.Graded()
    (knob,) = one.knobs
    assert deciding(one, knob, make.finding(score=0.4, alert=False)) == 0.4
    assert deciding(one, knob, make.finding(score=0.499999, alert=True)) == 0.5
    assert deciding(one, knob, make.finding(score=0.7, alert=False)) == NEVER
