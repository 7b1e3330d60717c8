"""The measures held against scikit-learn and scipy, which share no line with them: 1,000 cases each, to 1e-12."""

import numpy as np
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from lab.gate.significance import mcnemar
from lab.scoring.intervals import poisson_cdf, poisson_rate, wilson
from lab.scoring.ranking import average_precision, precision_recall, quantile, recall_within, roc_auc

CASES = settings(max_examples=1000)
#: Few values, so that ties are common, and any at all.
SCORE = st.one_of(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]), st.floats(0, 1))
RANKED = st.lists(st.tuples(SCORE, st.booleans()), max_size=20).map(lambda rows: [*rows, (0.5, True)])
BOTH = RANKED.map(lambda rows: [*rows, (0.3, False)])
CONFIDENCE = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """Without scikit-learn's checks of its arguments, which take ten times as long as what it computes."""
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        yield


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-12)


def columns(rows):
    return np.array([y for _, y in rows]), np.array([score for score, _ in rows])


@CASES
@given(RANKED, st.integers(0, 30))
def test_precision_over_recall_and_its_area(rows, never):
    """What is never ranked leaves the steps as they are and makes each worth less."""
    truth, scores = columns(rows)
    hits = int(truth.sum())
    share = hits / (hits + never)
    assert average_precision(rows, hits + never) == near(metrics.average_precision_score(truth, scores) * share)
    precision, recall, bars = metrics.precision_recall_curve(truth, scores)
    curve = precision_recall(rows, hits + never)
    assert [point.threshold for point in curve] == bars[::-1].tolist()
    assert [point.precision for point in curve] == near(precision[:-1][::-1].tolist())
    assert [point.recall for point in curve] == near((recall[:-1][::-1] * share).tolist())


@CASES
@given(BOTH, st.integers(0, 12))
def test_area_under_roc_and_recall_within_a_budget(rows, allowed):
    truth, scores = columns(rows)
    good, bad = ([score for score, y in rows if y is wanted] for wanted in (True, False))
    assert roc_auc(good, bad) == near(metrics.roc_auc_score(truth, scores))
    false, true, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    affordable = np.rint(false * len(bad)) <= allowed
    assert recall_within(rows, len(good), allowed) == near(float(true[affordable].max()))


@CASES
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.sampled_from([0.05, 0.25, 0.5, 0.75, 0.9, 0.95]))
def test_nearest_rank(values, share):
    assume(not (share * len(values)).is_integer())  # there numpy's rank is one higher for shares that doubles lack
    assert quantile(values, share) == float(np.quantile(values, share, method="inverted_cdf"))


@CASES
@given(st.integers(1, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), CONFIDENCE)
def test_wilson(counts, confidence):
    hits, of = counts
    expected = stats.binomtest(hits, of).proportion_ci(confidence, method="wilson")
    assert wilson(hits, of, confidence) == near((expected.low, expected.high))


@CASES
@given(st.one_of(st.integers(0, 60), st.integers(0, 20_000)), st.floats(0.01, 1e6), CONFIDENCE)
def test_exact_poisson(events, exposure, confidence):
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    high = stats.chi2.isf(tail, 2 * events + 2) / 2
    assert poisson_rate(events, exposure, confidence) == near((low / exposure, high / exposure))


@CASES
@given(st.integers(0, 20_000), st.floats(-6, 6))
def test_poisson_distribution(events, deviations):
    """Where it is neither 0 nor 1: within six standard deviations."""
    mean = max(1e-3, events + deviations * (events + 1) ** 0.5)
    assert poisson_cdf(events, mean) == near(float(stats.poisson.cdf(events, mean)))


@CASES
@given(st.integers(0, 400), st.integers(0, 400))
def test_exact_mcnemar(lost, gained):
    assume(lost + gained)
    exact = stats.binomtest(lost, lost + gained, 0.5, alternative="greater").pvalue
    assert mcnemar(lost, gained) == pytest.approx(float(exact), rel=1e-12)


def test_an_oracle_that_differs_is_seen():
    """The negative control: one part in 1e11 is told apart."""
    assert near(0.5) == 0.5 + 1e-13
    assert near(0.5) != 0.5 + 1e-11
