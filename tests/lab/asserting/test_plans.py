"""Plans are those of droidrange run; what cannot be asked is a fault of the asker."""

import pytest

from lab.asserting.plans import plan_of
from lab.errors import ScenarioError
from lab.running.trial import Plan


def test_the_plan_of_a_suite_and_of_a_scenario():
    made = plan_of("smoke", detectors=["silent"], seeds=2, seed=3, stage="flows", learn="7d", poison=0.1, devices=2)
    assert isinstance(made, Plan)
    assert [one.name for one in made.scenarios] == ["smoke-poll", "smoke-checkin"]
    assert (made.seeds, made.detectors, made.devices) == ((3, 4), ("silent",), 2)
    assert made.setting == {"devices": 2, "learn_s": 604_800.0, "poison": 0.1, "novel": 0.01}
    assert plan_of("smoke-poll").setting == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seeds": 0}, "seeds: found 0"),
        ({"learn": "soon"}, "learn: "),
        ({"poison": 0.5}, "poison: found 0.5 without a past"),
        ({"novel": 0.5}, "novel: found 0.5 without a past"),
        ({"novel": 1.5, "learn": "1d"}, "novel: found 1.5, expected from 0 to 1"),
        ({"devices": 0}, "devices: found 0"),
    ],
)
def test_what_cannot_be_is_refused(settings, said):
    with pytest.raises(ScenarioError, match=said):
        plan_of("smoke-poll", **settings)


def test_an_unknown_suite_is_refused():
    with pytest.raises(ScenarioError, match="unknown scenario 'smook'"):
        plan_of("smook")


def test_a_path_is_kept_so_that_what_was_missed_can_be_played_again(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('question = "Is it one?"\nscenarios = ["smoke-poll"]\n')
    assert (plan_of(str(path)).suite, plan_of(str(path)).asked) == ("mine", str(path))
    assert plan_of("smoke").asked == ""
