"""Paces of the learning period, held against counting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detector.baseline import learn, survey
from detector.columns import Codes


def asked(*texts):
    kinds = sorted({text for text in texts if text is not None})
    return Codes(np.array([-1 if text is None else kinds.index(text) for text in texts], np.int64), kinds)


@pytest.fixture
def past(made):
    """Two days: a feed reader with four places of its own on each of two phones, and a vendor's app on both."""
    made.span_s = 2 * 86_400
    for phone in ("phone-01", "phone-02"):
        for place, every in enumerate((900, 1800, 3600, 7200)):
            times = np.arange(0, made.span_s, every)
            made.polls(times, device=phone, package="feeds", name=f"blog{place}.{phone}.example")
        made.polls(np.arange(0, made.span_s, 600), device=phone, package="torch", name="www.torch.example")
    made.polls(np.arange(0, made.span_s, 300), device="phone-02", package="torch", name="cdn.torch.example")
    return made.telemetry()


def test_the_usual_pace_is_that_of_the_busiest_device(past):
    apps, places = asked("torch", "torch", "feeds", "new", None), asked("torch.example", "x", "x", "x", "x")
    found = learn(past).pace(asked(*["phone-01"] * 5), apps, places)
    assert found.usual[1:3].tolist() == [0, 0]
    assert found.usual[0] == pytest.approx(288), "every five minutes, and the ten minutes fall on the same moments"
    assert np.isnan(found.usual[3:]).all(), "an app nobody had, and no app at all"


def test_only_an_app_with_three_places_of_its_own_has_the_habit(past):
    found = learn(past).pace(asked("phone-01", "phone-01"), asked("feeds", "torch"), asked("x", "x"))
    assert found.own_places.tolist() == [0, 0], "all blogs are below two names: one registrable domain a phone"
    assert found.strangers.tolist() == [0, 0]


def test_places_of_its_own_are_registrable_domains_of_one_device(made):
    for phone in (1, 2):
        for place, every in enumerate((900, 1800, 3600, 7200)):
            times = np.arange(0, 86_400, every)
            made.polls(times, device=f"phone-{phone}", package="feeds", name=f"blog{place}{phone}.example")
        made.polls(np.arange(5) * 60.0, device=f"phone-{phone}", package="feeds", name="all.example")
    found = learn(made.telemetry()).pace(asked("phone-01"), asked("feeds"), asked("x"))
    assert found.own_places.tolist() == [24]
    assert found.strangers.tolist() == [96 + 48 + 24 + 12]


@pytest.mark.parametrize(("phones", "place", "all_of_them"), [(1, 0, 0), (2, 24, 24 + 48 + 96), (3, 48, 48 + 96 + 192)])
def test_one_device_makes_no_habit_of_an_app(made, phones, place, all_of_them):
    """Phone k asks k times as often; the second busiest counts, so one poisoned or busy device moves little."""
    for phone in range(1, phones + 1):
        for number, every in enumerate((900, 1800, 3600)):
            times = np.arange(0, 86_400, every / 2 ** (phone - 1))
            made.polls(times, device=f"phone-{phone}", package="feeds", name=f"blog{number}{phone}.example")
    found = learn(made.telemetry()).pace(asked("phone-01"), asked("feeds"), asked("x"))
    assert found.own_places.tolist() == [place]
    assert found.strangers.tolist() == [all_of_them]


def test_the_former_pairs_are_all_with_their_rates(past):
    known = learn(past)
    former = known.former()
    rates = {
        (known.known.devices[d], known.known.packages[p], known.known.destinations[t]): r
        for d, p, t, r in zip(former.device, former.package, former.destination, former.per_day, strict=True)
    }
    assert rates["phone-01", "torch", "torch.example"] == pytest.approx(144)


def test_nothing_learned_is_nothing_known(made):
    found = survey(made.telemetry()).pace(asked("phone-01"), asked("torch"), asked("x"))
    assert math.isnan(found.usual[0])


def test_a_device_vouches_for_its_own_pace(past):
    found = learn(past).pace(
        asked("phone-01", "phone-02"), asked("torch", "torch"), asked("torch.example", "torch.example")
    )
    assert found.usual.tolist() == pytest.approx([288, 288])


def test_how_many_destinations_an_app_meets_is_counted_of_those_no_other_app_has(made):
    made.span_s = 2 * 86_400
    for k in range(40):
        made.flow(4_000.0 * k, device="phone-01", package="swarm", name=f"peer{k}.example")
        made.flow(4_000.0 * k, device="phone-01", package="torch", name="peer1.example")
    days = 39 * 4_000 / 86_400
    found = learn(made.telemetry()).pace(
        asked("phone-01", "phone-02", "phone-01"), asked("swarm", "swarm", "torch"), asked("x", "x", "x")
    )
    assert found.newcomers.tolist() == pytest.approx([39 / days, 0, 0])


def test_one_busy_device_is_no_word_for_another(made):
    """The second busiest vouches for all; the busiest for itself alone."""
    made.span_s = 86_400
    for phone, many in ((1, 60), (2, 20)):
        for k in range(many):
            made.flow(1_400.0 * k % 86_000, device=f"phone-{phone}", package="swarm", name=f"peer{phone}-{k}.example")
    found = learn(made.telemetry()).pace(
        asked("phone-1", "phone-2", "phone-3"), asked(*["swarm"] * 3), asked(*["x"] * 3)
    )
    assert found.newcomers.tolist() == pytest.approx([60, 20, 20], rel=0.1)
