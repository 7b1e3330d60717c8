"""Sentinel's interval rule. No vectors are published: by hand from its bounds, and held against a plain loop."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.columns import Codes
from detector.contract import view
from detector.rivals.pairs import Pairs, Who, by_port, host_pairs
from detector.rivals.repeated_delta import SHARE_ABOVE, repeated_deltas


def hours(made, times, **values):
    made.rows.clear()
    made.polls(times, **values)
    return repeated_deltas(host_pairs(made.telemetry(), by_port))


@pytest.mark.parametrize(
    ("period", "fires"), [(25, False), (26, True), (60, True), (115, True), (121, False), (300, False)]
)
def test_only_periods_of_about_26_to_115_seconds_fire(made, period, fires):
    found = hours(made, np.arange(0, 7200, period))
    assert bool((found.score > SHARE_ABOVE).any()) is fires


def test_the_hour_is_counted_by_hand(made):
    # 40 intervals of 60 s, five of 90 s, one of 20 s that does not count
    found = hours(made, np.append(0, np.cumsum([60] * 40 + [90] * 5 + [20])))
    assert (found.total.tolist(), found.same.tolist(), found.delta_s.tolist()) == ([45], [40], [60])
    assert found.share[0] == found.score[0] == pytest.approx(40 / 45)


def test_four_fifths_do_not_fire_and_more_do(made):
    at, above = (hours(made, np.append(0, np.cumsum([60] * n + [90] * 8))) for n in (32, 33))
    assert at.share[0] == pytest.approx(0.8)
    assert not at.score[0] > SHARE_ABOVE
    assert above.score[0] > SHARE_ABOVE


def test_a_tenth_of_jitter_is_enough_to_hide(made, rng):
    found = hours(made, np.cumsum(rng.uniform(54, 66, 59)))
    assert found.score.max() < SHARE_ABOVE


def test_ports_are_pairs_of_their_own(made):
    made.polls(np.arange(0, 3600, 60), server_port=443)
    made.polls(np.arange(0, 3600, 60), server_port=8443)
    found = repeated_deltas(host_pairs(view("no-app")(made.telemetry()), by_port))
    assert found.same.tolist() == [59, 59]


def straight(seconds):
    """One pair with connections at those seconds."""
    start = np.array(seconds, np.int64) * 1_000_000
    nothing, nobody = np.zeros(len(start), np.int64), Codes(np.zeros(1, np.int64), ["x"])
    who = Who(nobody, nothing[:1], nobody, nobody)
    return Pairs(who, np.array([0, len(start)]), start, nothing, nothing, nothing, nothing, nobody)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4 * 3600), min_size=2, max_size=80), st.integers(0, 60), st.integers(0, 1000))
def test_it_is_what_the_rule_says(seconds, steady, shift):
    ordered = sorted({*seconds, *range(7200, 7200 + 60 * steady, 60)})
    found = repeated_deltas(straight([one + 3600 * shift for one in ordered]))
    gaps = {}
    for before, after in itertools.pairwise(ordered):
        if after - before > 25:
            gaps.setdefault(before // 3600, []).append(after - before)
    most = [max(Counter(one).values()) for one in gaps.values()]
    total = [len(one) for one in gaps.values()]
    fires = [n > 30 and same > 25 and same / n > 0.8 for n, same in zip(total, most, strict=True)]
    assert (found.total.tolist(), found.same.tolist()) == (total, most)
    assert (found.score > SHARE_ABOVE).tolist() == fires
    assert (found.hour - shift).tolist() == list(gaps)
