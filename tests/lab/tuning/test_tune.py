"""Tuning from end to end with made-up detectors: what is chosen, what is refused, and what an overfitting one shows."""

import pytest

from detector.contract import Configuration
from lab.errors import EvidenceError, ScenarioError
from lab.scenario import load_all, suite_scenarios
from lab.tuning.nested import package_fold
from lab.tuning.tune import Alone, knobbed, planned


def calm(_seed):
    return [0.2, 0.3]


def sure(_seed):
    return [0.9]


def test_the_threshold_lies_between_the_two_and_is_written_and_tried(lab, tmp_path):
    found = lab.tune(sure, calm, out=tmp_path / "mine.txt")
    (one,) = found.knobs
    assert (one.threshold, one.knob.value, one.device_days) == (0.6, 0.5, lab.DEVICE_DAYS)
    assert (one.inner.recall, one.inner.false_alarms, one.outer.recall) == (1.0, 0, 1.0)
    assert one.gap == {"recall": 0.0, "false_alarms_per_device_day": 0.0}
    assert found.use == "graded:bar=0.6"
    assert (tmp_path / "mine.txt").read_text() == "graded:bar=0.6\n"
    assert found.confirmed["AN1793"] == one.inner
    assert not found.differs(one)


def test_the_budget_is_spent_where_it_finds_more(lab):
    """Half of the incidents are as quiet as a tenth of the alarms: six of them are affordable."""
    found = lab.tune(
        lambda seed: [0.4 if seed % 2 else 0.9], lambda seed: [0.1, 0.6] if seed < 7 else [0.1], budget=0.01
    )
    (one,) = found.knobs
    assert one.allowed == 6
    assert (one.threshold, one.inner.false_alarms, one.inner.recall) == (0.25, 6, 1.0)
    stricter = lab.tune(
        lambda seed: [0.4 if seed % 2 else 0.9], lambda seed: [0.1, 0.6] if seed < 7 else [0.1], budget=0.005
    )
    assert (stricter.knobs[0].threshold, stricter.knobs[0].inner.recall) == (0.75, 0.5)


def test_what_was_learned_by_heart_shows_a_gap(lab):
    """Of one fold of packages it is sure that they are guilty: whoever did not see them pays for it."""

    def alarms(seed):
        return [0.85 if package_fold(f"com.example.app{number}") == 1 and seed == 3 else 0.1 for number in range(40)]

    (one,) = lab.tune(lambda seed: [0.7 + 0.02 * seed], alarms, budget=0.002).knobs
    assert one.inner.rate <= 0.002
    assert one.outer.rate > 0.002
    assert one.gap["false_alarms_per_device_day"] > 0 or one.gap["recall"] > 0.1


def test_a_detector_without_scores_is_refused(lab):
    with pytest.raises(EvidenceError, match="every finding has the same score, 1: there is nothing to choose between"):
        lab.tune(lambda _seed: [1.0], lambda _seed: [1.0, 1.0])


def test_a_detector_that_finds_nothing_is_refused(lab):
    with pytest.raises(EvidenceError, match="nothing was found: not one of 8 incidents"):
        lab.tune(lambda _seed: [], calm)


def test_a_detector_whose_alarms_outrank_all_is_refused(lab):
    with pytest.raises(EvidenceError, match=r"the best incident is at 0.5, the loudest alarm at 0.9"):
        lab.tune(lambda _seed: [0.5], lambda _seed: [0.9, 0.8])


def test_a_suite_without_incidents_is_refused(lab, make):
    with pytest.raises(EvidenceError, match="no incident of it was played"):
        lab.tune(lambda _seed: [], calm, truth=make.truth())


@pytest.mark.parametrize(
    ("status", "said"), [("failed", "8 of 8 trials failed .*it fell"), ("unsupported", "no trial was scored .*it fell")]
)
def test_trials_without_a_score_are_no_evidence(lab, status, said):
    with pytest.raises(EvidenceError, match=said):
        lab.tune(sure, calm, status=status, reason="it fell", findings=(), truth=None)


def test_what_is_excused_alerts_at_no_threshold(lab):
    """Reached the bar and did not alert: no lower bar would make it an alarm."""

    class Lenient(lab.Graded):
        def deciding(self, finding):
            return None if finding.package == "com.example.app0" else finding.score

    loud = lab.tune(lambda _seed: [0.4], lambda _seed: [0.45, 0.1], detector=Lenient())
    assert (loud.knobs[0].threshold, loud.knobs[0].inner.false_alarms, loud.knobs[0].excused) == (0.25, 0, 8)
    with pytest.raises(EvidenceError, match="outrank"):
        lab.tune(lambda _seed: [0.4], lambda _seed: [0.45, 0.1])


def test_a_configuration_that_does_something_else_is_told(lab):
    class Deaf(lab.Graded):
        def tuned(self, values, origin):  # noqa: ARG002 - the contract
            return Configuration("graded", "bar=0.95")

    found = lab.tune(sure, calm, detector=Deaf())
    assert found.differs(found.knobs[0])
    assert found.confirmed["AN1793"].recall == 0.0


def test_without_apps_seeds_alone_are_parted(lab):
    (one,) = lab.tune(sure, calm, view="no-app").knobs
    assert [cell.package_fold for cell in one.cells] == [None] * 4


def test_a_detector_without_a_knob_names_those_with_one():
    with pytest.raises(LookupError, match=r"detector silent: found no knob.* baywatch, builtin, elastic, rita"):
        knobbed("silent")


def test_a_plan_without_controls():
    one = Alone("tiny", (), (1,), detectors=("rita", "rita"))
    assert one.names == ("rita",)
    assert not one.explained


def test_as_many_phones_as_the_budget_needs_unless_seeds_or_phones_are_asked_for():
    _, core = suite_scenarios("core")
    fit, seeds, phones = planned(core, 0.001, None, None)
    assert (seeds, phones) == (4, 17)
    assert seeds * sum(one.devices for one in fit) >= 1000
    with pytest.raises(
        EvidenceError,
        match=r"180 device-days cannot support a budget of 0.001 .* --seeds 23, or for --seeds 4 --devices 17",
    ):
        planned(core, 0.001, 4, None)
    assert planned(core, 0.001, 23, None)[1:] == (23, 0)
    assert planned(core, 0.1, None, None)[1:] == (4, 0)


@pytest.mark.parametrize(("budget", "seeds", "said"), [(0.0, None, "--budget: found 0"), (0.1, 1, "--seeds: found 1")])
def test_what_no_device_days_support_is_refused(budget, seeds, said):
    with pytest.raises(ScenarioError, match=said):
        planned(suite_scenarios("core")[1], budget, seeds, None)


def test_incidents_of_one_package_cannot_be_left_out(lab):
    """Without its package none is left to choose by: that is no miss, and no gap either."""
    (one,) = lab.tune(sure, calm, several=False).knobs
    assert (one.threshold, one.outer, one.gap) == (0.6, None, None)
    assert sum(cell.tally.of for cell in one.cells if not cell.judged) == 8


def test_families_held_out_are_never_played():
    both = load_all(["imap-poll-drafts", "https-poll-5m"])
    fit, _, _ = planned(both, 0.1, None, None)
    assert [one.name for one in fit] == ["https-poll-5m"]
    with pytest.raises(ScenarioError, match="imap-poll-drafts: all of it is held out"):
        planned(both[:1], 0.1, None, None)
