"""Values worked out by hand, and intervals against exact enumeration."""

import math
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lab.gate.grammar import metric_named, parse
from lab.gate.measures import alarms, measured, of_incidents, quantile_interval, watched
from lab.gate.selection import Card
from lab.scoring.intervals import wilson

CELL = ("specimen", "full")


def row(verdict, after=None, contacts=None):
    return {"verdict": verdict, "time_to_detect_s": after, "contacts_to_detect": contacts}


ROWS = [row("detected", 60.0, 2), row("detected", 600.0, None), row("missed"), row("unseen")]


def test_what_the_view_does_not_show_is_not_counted_but_said():
    seen, whole = (of_incidents(metric_named(name), ROWS) for name in ("recall", "recall_of_all"))
    assert (seen.value, seen.n, seen.note, seen.interval) == (2 / 3, 3, "1 unseen, not counted", wilson(2, 3))
    assert (whole.value, whole.n, whole.note) == (0.5, 4, "")
    assert of_incidents(metric_named("incidents"), ROWS).value == 3.0
    assert of_incidents(metric_named("recall"), ROWS[3:]).value is None


def test_delays_are_of_the_detected():
    time = of_incidents(metric_named("time_to_detect_p90"), ROWS)
    assert (time.value, time.n, time.note) == (600.0, 2, "1 of 3 not detected, without a delay")
    contacts = of_incidents(metric_named("contacts_to_detect_p50"), ROWS)
    assert (contacts.value, contacts.n) == (2.0, 1)
    assert of_incidents(metric_named("time_to_detect_p90"), ROWS[2:]).value is None


def judgement(analytic, count, days, seed=1):
    return {
        "scenario": "a",
        "seed": seed,
        "stage": "wire",
        "analytic": analytic,
        "false_alarms": count,
        "device_days": days,
    }


def test_a_trial_with_two_analytics_was_watched_once():
    rows = [judgement("AN1793", 3, 2.0), judgement("AN1702", 1, 2.0), judgement("AN1793", 0, 2.0, seed=2)]
    rate = alarms(metric_named("false_alarms_per_device_day"), rows)
    assert (watched(rows), rate.value, rate.n) == (4.0, 1.0, 4.0)
    assert alarms(metric_named("false_alarms"), rows).value == 4.0
    assert alarms(metric_named("device_days"), rows).value == 4.0
    assert alarms(metric_named("false_alarms"), []).value is None
    assert alarms(metric_named("false_alarms"), [judgement("AN1793", 0, 0.0)]).value is None


def test_a_summary_is_the_scorecards(gates):
    card = Card(gates.card(gates.trials()))
    assert measured(card, parse("polling.pr_auc >= 0.5"), CELL).value == 1.0
    assert measured(card, parse("polling.pr_auc >= 0.5"), ("other", "full")).value is None
    assert measured(card, parse("polling.pr_auc >= 0.5"), CELL).note == ""
    first, *others = gates.trials()
    hidden = replace(first, findings=(), unseen=tuple(one.incident for one in first.truth.incidents))
    blind = Card(gates.card([hidden, *others]))
    assert measured(blind, parse("polling.pr_auc >= 0.5"), CELL).note == "unseen incidents are counted"
    assert measured(card, parse("polling.recall{period<=5m} >= 0.5"), CELL).n == 6
    assert measured(card, parse("false_alarms <= 0"), CELL).to_json()["value"] == 0.0


@given(st.integers(1, 60), st.sampled_from([0.1, 0.5, 0.75, 0.9]))
def test_the_interval_of_a_quantile_covers_95_percent(n, share):
    low, high = quantile_interval([float(rank) for rank in range(1, n + 1)], share)
    exact = Fraction(share)
    below = [math.comb(n, k) * exact**k * (1 - exact) ** (n - k) for k in range(n + 1)]  # k values below the quantile
    covered = sum(p for k, p in enumerate(below) if (low is None or k >= low) and (high is None or k < high))
    assert covered >= Fraction(19, 20) - Fraction(1, 10**9)
    assert low is None or sum(below[: int(low) + 1]) > Fraction(1, 40)  # one rank higher would leave out too much


def test_no_value_no_interval():
    assert quantile_interval([], 0.5) is None
    assert quantile_interval([1.0], 0.9) == (None, None)
