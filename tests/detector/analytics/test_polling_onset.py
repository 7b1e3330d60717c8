"""When enough was seen: cut there the score alerts, one contact before it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detector.analytics import polling_onset
from detector.analytics.polling_measured import measured
from detector.analytics.polling_onset import onset
from detector.analytics.polling_score import scores
from detector.baseline import learn
from detector.thresholds import load_thresholds
from detector.until import until

LIMITS = load_thresholds().polling
LEAST = LIMITS.connection_frequency_threshold
US = 1_000_000
DAY = 86_400


def new_day():
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    return Made()


def length_of(telemetry, limits=LIMITS):
    """The length of the one group at which it crosses, and its contacts."""
    found = measured(telemetry, limits)
    (part,) = found.parts
    (length,) = onset(part, np.array([0]), found.known, limits).tolist()
    return length, found.contacts(0).times


def cut_score(made, moment):
    """The score of what was seen when the contact of that moment came, as a telemetry of its own."""
    cut = type(made)(span_s=moment / US)
    cut.rows = {name: [row for row in rows if _time(row) <= moment] for name, rows in made.rows.items()}
    found = measured(cut.telemetry(), LIMITS)
    return float(scores(found.columns, LIMITS)[0]) if len(found) else 0.0


def _time(row):
    return row.get("start", row.get("time", 0))


def polls(period, jitter, spread, seed, span=DAY):
    rng, one = np.random.default_rng(seed), new_day()
    times = np.cumsum(period * (1 - jitter * rng.random(int(2 * span / period) + 1)))
    for time in times[times < span]:
        one.flow(float(time), up=int(rng.integers(500, 500 + 1 + spread)), down=1200, uid=10_001)
    return one


@settings(max_examples=40)
@given(
    period=st.sampled_from([20, 300, 1800]),
    jitter=st.sampled_from([0.0, 0.3, 0.9]),
    spread=st.sampled_from([0, 20, 400]),
    state=st.booleans(),
    seed=st.integers(0, 99),
)
def test_cut_there_it_alerts_and_one_contact_before_it_does_not(period, jitter, spread, state, seed):
    made = polls(period, jitter, spread, seed, span=min(DAY, 300 * period))
    for hour in range(24 if state else 0):
        made.state(hour * 3600, locked=True)
        made.state(hour * 3600 + 1200, locked=False, foreground=5)
    end = made.rows["flows"][-1]["start"]
    made.span_s = end / US
    assume(cut_score(made, end) >= LIMITS.threshold)
    length, times = length_of(made.telemetry())
    assert LEAST <= length <= len(times)
    assert cut_score(made, times[length - 1]) >= LIMITS.threshold
    assert cut_score(made, times[length - 2]) < LIMITS.threshold


def test_timers_cross_early_and_slack_contacts_never():
    """Control: the property above speaks of something, of timers early and of slack ones later or never."""
    ends = [length_of(polls(300, jitter, 0, 1).telemetry())[0] for jitter in (0.0, 0.2)]
    assert all(LEAST <= end <= 40 for end in ends)
    slack = polls(300, 0.9, 400, 1)
    assert cut_score(slack, slack.rows["flows"][-1]["start"]) < LIMITS.threshold


def test_what_changes_later_does_not_change_when_enough_was_seen():
    made = polls(300, 0.1, 0, 7)
    length, times = length_of(made.telemetry())
    later = [row for row in made.rows["flows"] if row["start"] > times[length - 1]]
    assert len(later) > 100
    for k, row in enumerate(later):
        row["bytes_down"] += 7 * k % 90
    assert length_of(made.telemetry())[0] == length
    for k, row in enumerate(made.rows["flows"][:length]):
        row["bytes_up"] *= 2 + 50 * k  # control: what comes before does
    assert length_of(made.telemetry())[0] > length


def several():
    made = new_day()
    for k, period in enumerate((30, 120, 600, 2400)):
        made.polls(np.arange(0, DAY - 10, period), name=f"c2.site{k}.example", uid=10_001 + k)
    return measured(made.telemetry(), LIMITS)


@pytest.mark.parametrize("largest", [1, 40_000, 10**9])
def test_groups_do_not_depend_on_each_other_nor_on_how_many_fit_into_memory(monkeypatch, largest):
    found = several()
    (part,) = found.parts
    alone = [int(onset(part, np.array([k]), found.known, LIMITS)[0]) for k in range(4)]
    monkeypatch.setattr(polling_onset, "LARGEST", largest)
    for order in ([0, 1, 2, 3], [3, 1], [2, 2, 0]):
        together = onset(part, np.array(order), found.known, LIMITS)
        assert together.tolist() == [alone[k] for k in order]
    assert min(alone) >= LEAST


def test_no_group_has_no_moment():
    found = several()
    assert onset(found.parts[0], np.zeros(0, np.int64), found.known, LIMITS).tolist() == []


def test_the_fewest_contacts_can_be_enough_but_never_fewer(made):
    made.polls(60.0 * np.arange(LEAST))
    limits = replace(LIMITS, evidence_scale=0.1)
    length, times = length_of(made.telemetry(), limits)
    assert length == len(times) == LEAST
    made.polls(60.0 * np.arange(LEAST, 90))
    assert length_of(made.telemetry(), limits)[0] == LEAST, "though 90 are there now"


def test_a_higher_threshold_is_crossed_no_earlier():
    found = several()
    (part,) = found.parts
    every = np.arange(4)
    reached = scores(found.columns, LIMITS).min()
    assert reached > LIMITS.threshold
    lengths = [
        onset(part, every, found.known, replace(LIMITS, threshold=limit))
        for limit in np.linspace(LIMITS.threshold / 2, reached, 4)
    ]
    assert (np.diff(lengths, axis=0) >= 0).all()
    assert (lengths[0] < lengths[-1]).all()


def test_a_surge_is_decided_when_it_had_risen_and_not_before(made):
    """A known destination polled thirty times as often: cut there it alerts, cut one contact before it does not."""
    app = {"uid": 10_001, "package": "com.example.torch"}
    days = type(made)(span_s=2 * DAY)
    for phone in range(3, 23):
        days.polls(np.arange(phone, days.span_s, 7200), uid=10_050, device=f"phone-{phone:02}", name="www.x.example")
    for phone in ("phone-01", "phone-02"):
        days.polls(np.arange(0, days.span_s, 3600), **app, device=phone, name="own.example")
    baseline = learn(days.telemetry())
    made.polls(np.arange(0, DAY, 120), **app, name="own.example")
    whole = replace(made.telemetry(), baseline=baseline)
    length, times = length_of(whole)

    def cut(moment):
        found = measured(until(whole, int(moment)), LIMITS)
        return float(scores(found.columns, LIMITS)[0])

    assert LEAST < length < len(times)
    assert cut(times[length - 1]) >= LIMITS.threshold > cut(times[length - 2])
