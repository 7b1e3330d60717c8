from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.comparing.trend import BARS, METRICS, NOTHING, Run, history, spark
from lab.gate.selection import Card


def runs(made, *hows):
    return [Run(f"r{number}", made.card(**how)) for number, how in enumerate(hows)]


def series(found, analytic="AN1793", metric="recall"):
    return next(one for one in found.series if (one.analytic, one.metric) == (analytic, metric))


def test_a_series_has_a_value_for_each_run(made):
    found = history(runs(made, {}, {"lost": range(6)}, {"lost": range(12)}))
    assert series(found).values == (1.0, 0.5, 0.0)
    assert series(found).spark == "█▅▁"
    assert series(found, metric="time_to_detect_p50").values[2] is None
    assert len(found.series) == 2 * len(METRICS)
    assert all(len(one.values) == len(one.spark) == 3 for one in found.series)


def test_a_run_that_is_no_evidence_has_no_numbers(made):
    found = history([*runs(made, {}), Run("bad", None, "cut short"), *runs(made, {})])
    assert series(found).values == (1.0, None, 1.0)
    assert series(found).spark == "█·█"
    assert found.runs[1].to_json()["fault"] == "cut short"


def test_runs_that_are_not_comparable_say_so(made):
    found = history(runs(made, {}, {"software": "9.9"}, {"software": "9.9"}))
    assert [len(run.breaks) for run in found.runs] == [0, 1, 0]
    assert found.runs[1].breaks == ("droidrange: A was made with specimen, B with 9.9",)


def test_another_suite_is_another_series(made):
    other = made.content()
    other["suite"] = "full"
    found = history([*runs(made, {}), Run("other", Card(other, "other")), *runs(made, {})])
    assert [one.values for one in found.series if one.metric == "recall" and one.analytic == "AN1793"] == [
        (1.0, None, 1.0),
        (None, 1.0, None),
    ]
    assert [run.breaks for run in found.runs] == [(), (), ()]


@pytest.mark.parametrize("names", [{"detectors": ["nobody"]}, {"views": ["x-ray"]}])
def test_only_what_was_asked_for(made, names):
    assert history(runs(made, {}), **names).series == ()
    assert history(runs(made, {}), detectors=["specimen"], views=["full"]).series


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9))), st.one_of(st.none(), st.floats(0.001, 1e9)))
def test_a_spark_has_a_block_for_each_value(values, most):
    found = spark(values, most)
    assert len(found) == len(values)
    assert all((char == NOTHING) == (value is None) for char, value in zip(found, values, strict=True))
    assert set(found) <= {*BARS, NOTHING}
    known = [value for value in values if value is not None]
    order = sorted(range(len(known)), key=known.__getitem__)
    blocks = [BARS.index(char) for char in found if char != NOTHING]
    assert all(blocks[one] <= blocks[other] for one, other in pairwise(order))
