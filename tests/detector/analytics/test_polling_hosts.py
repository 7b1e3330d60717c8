"""A new host of a domain that the app knows: a group of its own, once hosts were learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.command_polling import command_polling
from detector.analytics.polling_measured import measured
from detector.analytics.polling_score import scored
from detector.baseline import learn
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
DAY = 86_400
APP = {"uid": 10_001, "package": "com.example.torch"}
BY = Signature("builtin", "0", partial=False)


def browsed(made, rng):
    """Visits of some minutes to two hosts of the vendor, as people make them."""
    for visit in np.sort(rng.uniform(0, made.span_s - 600, 12)):
        for host in ("www", "img"):
            made.polls(visit + np.sort(rng.uniform(0, 300, 20)), **APP, name=f"{host}.vendor.example", down=40_000)


@pytest.fixture
def baseline(made):
    days = type(made)()
    days.span_s = 2 * DAY
    browsed(days, np.random.default_rng(1))
    return learn(days.telemetry())


@pytest.fixture
def told(made, baseline):
    """The telemetry with its baseline: visits as ever, and a poll of one more host of the vendor, or of an old one."""

    def build(host):
        made.span_s = DAY
        browsed(made, np.random.default_rng(2))
        made.polls(np.arange(0, DAY, 300), **APP, name=f"{host}.vendor.example", up=600, down=800)
        return replace(made.telemetry(), baseline=baseline)

    return build


def texts(found):
    return [found.destination.text(k) for k in range(len(found))]


def test_a_new_host_of_a_known_domain_is_judged_by_itself(told):
    found = measured(told("gw-7"), LIMITS)
    assert sorted(texts(found)) == ["gw-7.vendor.example", "vendor.example"]
    whole, one = (texts(found).index(name) for name in ("vendor.example", "gw-7.vendor.example"))
    assert found.columns["contacts"][one] == 288
    assert found.columns["gate"][whole] < 0.5 < found.columns["gate"][one]
    assert found.columns["known_domain"][one] == 1 - found.columns["gate"][whole]
    assert found.columns["known_domain"][whole] == 0
    assert found.columns["interval_regularity"][one] > 0.9 > found.columns["interval_regularity"][whole]
    score = scored(found.columns, LIMITS).score
    assert score[one] > score[whole]
    assert found.beside.tolist() == [k == one for k in range(2)]


def test_a_host_that_was_known_is_no_group_of_its_own(told):
    """The control: the same poll of a host that the app met before."""
    assert texts(measured(told("www"), LIMITS)) == ["vendor.example"]


def test_a_host_of_a_domain_that_is_new_itself_is_told_once(made, baseline):
    made.span_s = DAY
    browsed(made, np.random.default_rng(2))
    made.polls(np.arange(0, DAY, 300), **APP, name="gw.elsewhere.example")
    found = measured(replace(made.telemetry(), baseline=baseline), LIMITS)
    assert sorted(texts(found)) == ["elsewhere.example", "vendor.example"]


def test_without_a_learned_baseline_there_are_no_hosts(told):
    telemetry = told("gw-7")
    assert texts(measured(replace(telemetry, baseline=None), LIMITS)) == ["vendor.example"]


def test_a_name_that_is_not_believed_makes_no_host(told, made):
    telemetry = told("gw-7")
    answer = dict.fromkeys(("www.vendor.example", "img.vendor.example"), ("198.18.7.7",))
    for name, addresses in answer.items():
        made.lookup(0, name, answers=addresses)
    found = measured(replace(made.telemetry(), baseline=telemetry.baseline), LIMITS)
    assert "gw-7.vendor.example" not in texts(found), "no answer bears it out"


def test_what_is_told_of_a_host_names_it(told):
    low = replace(LIMITS, product_threshold={**LIMITS.product_threshold, "baseline": 0.2})
    peers = {one.peer: one for one in command_polling(told("gw-7"), low, BY)}
    assert "gw-7.vendor.example" in peers
    one = peers["gw-7.vendor.example"]
    assert one.alert
    assert one.first_seen <= one.decided_at <= one.last_seen
