"""What a scenario is about, and that no conversation is in a protocol which its plan had not named."""

from __future__ import annotations

import numpy as np
import pytest

from lab.catalogue.subjects import spoken, subjects
from lab.scenario import compile_scenario, find_scenario, load_scenario, parse_scenario, scenario_names

TEXT = b"""
question = "Is it there?"
span = "2h"
devices = 1
[[app]]
package = "com.a.x"
category = "tools"
[[app.behaviour]]
kind = "periodic-sync"
[[app.behaviour]]
kind = "web-browsing"
"""
PROMISE = b'[[expect]]\nbehaviour = "web-browsing"\nbytes = { at_least = 1 }\n'


def of(text):
    return [plan.kind for _, plan in subjects(parse_scenario(text, name="x", place="x.toml"))]


def test_labels_come_before_promises_and_promises_before_all():
    assert of(TEXT) == ["periodic-sync", "web-browsing"]
    assert of(TEXT + PROMISE) == ["web-browsing"]
    labelled = TEXT + b'[[app.behaviour]]\nkind = "http-poll"\nlabel = "AN1793"\n' + PROMISE
    assert of(labelled) == ["http-poll"]


# a scenario compiles in a second, and there are hundreds: a few of each kind suffice, all are compiled by the contract
@pytest.mark.parametrize("name", [name for name in scenario_names() if name.startswith(("smoke-", "live-"))])
def test_the_protocols_are_those_of_the_timeline(name):
    scenario = load_scenario(find_scenario(name))
    timeline = compile_scenario(scenario, 1)
    own = {app.package for app in scenario.apps}
    mine = np.isin(timeline.conversations.app, [n for n, app in enumerate(timeline.apps) if app.package in own])
    used = [timeline.speeches[number] for number in np.unique(timeline.conversations.speech[mine])]
    assert {f"{speech.protocol}+tls" if speech.tls else speech.protocol for speech in used} <= spoken(scenario)


def test_a_protocol_nobody_speaks_is_not_named():
    assert spoken(load_scenario(find_scenario("smoke-poll"))) == {"http+tls", "dns"}
