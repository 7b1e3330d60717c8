"""Doze tells nobody apart (DESIGN section 8): whoever is heard in it has a right that honest apps have as often.

lab/catalogue/asleep.py says what is measured. The negative control gives the right to all that are malicious, which was
the default of their behaviours once (AUC 0.85), and must be seen.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from lab.authoring.plans import Background
from lab.catalogue.asleep import auc, heard
from lab.catalogue.traits import parts_of
from lab.scenario import compile_scenario, load_all, suite_scenarios

MARGIN = 0.1
#: pairs of one protocol each, with the right in one of four, as in all suites (see the test of that)
SAMPLE = (
    *("https-poll-5m", "https-checkin-5m", "dead-drop", "popular-5m-notes", "fronted-poll", "fronted-5m-library"),
    *("websocket-poll", "websocket-presence", "dns-poll-txt", "dns-reputation", "ech-poll", "ech-4m-clinic"),
    *("backconnect-relay", "backconnect-volunteer", "socks-relay", "socks-volunteer"),
    *("literal-poll", "literal-5m-recorder", "padded-poll", "padded-5m-logbook"),
)


def exempted(scenario):
    """The scenario with the right given to whoever is malicious."""
    apps = [replace(app, exempt=app.exempt or any(row.label for row in app.behaviours)) for app in scenario.apps]
    return replace(scenario, apps=tuple(apps))


@cache
def sample():
    return [replace(one, background=Background()) for one in load_all(SAMPLE)]


def measured(scenarios, seeds=(1, 2)):
    rows = [row for one in scenarios for seed in seeds for row in heard(compile_scenario(one, seed))]
    return rows, parts_of(scenarios)


@cache
def sampled():
    return measured(sample())


def test_doze_tells_nobody_apart_in_a_sample():
    rows, parts = sampled()
    assert sum(row.malicious for row in rows) >= 15
    assert auc(rows, parts) == pytest.approx(0.5, abs=MARGIN)


def test_the_right_given_to_all_that_are_malicious_is_seen():
    rows, parts = measured([exempted(one) for one in sample()])
    assert auc(rows, parts) > 0.5 + 2 * MARGIN
    assert auc(rows) > 0.5 + 2 * MARGIN


@pytest.mark.whole
@pytest.mark.parametrize("planted", [False, True])
def test_doze_tells_nobody_apart_in_the_largest_suite(planted):
    scenarios = suite_scenarios("full")[1]
    rows, parts = measured([exempted(one) if planted else one for one in scenarios], seeds=(1,))
    found = [auc(rows), auc(rows, parts)]
    if planted:
        assert min(found) > 0.5 + MARGIN
    else:
        assert found == pytest.approx([0.5, 0.5], abs=MARGIN)


def test_the_right_is_as_frequent_among_the_malicious_as_among_those_that_imitate_them():
    scenarios = suite_scenarios("full")[1]
    parts = parts_of(scenarios)
    mine = [
        (bool(one.analytics), app.exempt)
        for one in scenarios
        for app in one.apps
        if app.package in parts.get(one.name, ()) and (not one.analytics or any(row.label for row in app.behaviours))
    ]
    shares = [
        sum(exempt for bad, exempt in mine if bad == which) / sum(bad == which for bad, _ in mine)
        for which in (True, False)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=MARGIN)
    assert min(shares) > 0.1
