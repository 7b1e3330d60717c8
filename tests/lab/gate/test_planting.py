"""Each kind of regression spoils what it says and nothing else."""

import pytest

from lab.gate.planting import KINDS, NOBODY, plant, targets


@pytest.fixture
def trials(gates):
    return gates.trials()


def verdicts(card):
    return {row["incident"] + row["scenario"]: row["verdict"] for row in card["incidents"]}


@pytest.mark.parametrize("kind", KINDS)
def test_the_target_is_spoilt(gates, trials, kind):
    target = targets(trials)[6]
    planted = plant(kind, trials, target)
    before, after = gates.card(trials), gates.card(planted.trials)
    mine = target.outcome.incident.incident + target.trial.scenario
    if planted.name == NOBODY:
        assert verdicts(after) == verdicts(before)
        assert {row["package"] for row in after["false_alarms"]} == {NOBODY}
    elif "end" in kind:
        rows = [row for row in after["incidents"] if row["analytic"] == target.outcome.incident.analytic]
        assert {row["time_to_detect_s"] for row in rows} == {86_400.0}
    else:
        assert verdicts(after)[mine] == "missed"
        others = [row for row in after["incidents"] if row["device"] != target.outcome.incident.device]
        assert {row["verdict"] for row in others} == {"detected"}


def test_one_is_one(gates, trials):
    planted = plant("one incident is no longer found", trials, targets(trials)[0])
    assert list(verdicts(gates.card(planted.trials)).values()).count("missed") == 1


def test_controls_are_no_targets(trials):
    from dataclasses import replace

    assert targets([replace(one, detector="always") for one in trials]) == []


def test_an_unknown_kind_names_the_known(trials):
    with pytest.raises(LookupError, match="one false alarm more"):
        plant("nothing", trials, targets(trials)[0])
