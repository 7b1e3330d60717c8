import pytest

from lab.errors import ScenarioError
from lab.running.extent import MOST_PLAYS, refuse_absurd
from lab.scenario import load_all

TWO = load_all(["smoke-poll", "https-poll-60s"])


@pytest.mark.parametrize("seeds", [1, MOST_PLAYS // 2])
def test_large_runs_are_allowed(seeds):
    refuse_absurd(TWO, seeds, "wire", looks=5)


def test_absurd_ones_are_refused_with_the_bound_and_what_they_would_make():
    with pytest.raises(ScenarioError) as refused:
        refuse_absurd(TWO, 999_999_999, "wire", looks=5)
    (fault,) = refused.value.faults
    assert fault.startswith("--seeds: found 999,999,999, expected at most 10,000 for 2 scenarios (20,000 recordings)")
    assert "9,999,999,990 trials and about " in fault
    assert "GB" in fault


def test_what_is_not_kept_weighs_nothing():
    with pytest.raises(ScenarioError, match="20,002 recordings to prove"):
        refuse_absurd(TWO, MOST_PLAYS // 2 + 1, "flows")


def test_a_stage_of_tables_weighs_less():
    said = []
    for stage in ("wire", "flows"):
        with pytest.raises(ScenarioError, match=r"about ([\d,]+) GB") as refused:
            refuse_absurd(TWO, MOST_PLAYS, stage, looks=1)
        said.append(int(str(refused.value).split("about ")[1].split(" GB")[0].replace(",", "")))
    assert said[0] > 10 * said[1] > 0


def test_a_run_that_learns_records_twice():
    refuse_absurd(TWO, MOST_PLAYS // 4, "flows", looks=1, learn=1)
    with pytest.raises(ScenarioError, match="found 5,001, expected at most 5,000 for 2 scenarios"):
        refuse_absurd(TWO, MOST_PLAYS // 4 + 1, "flows", looks=1, learn=1)
