"""A promise about what is not there is a fault of its own field, told in the first pass with all others."""

from __future__ import annotations

import pytest

from lab.authoring.promises import promise_faults
from lab.errors import ScenarioError
from lab.scenario import parse_scenario

APPS = [
    {"package": "com.meadow.weather", "behaviour": [{"kind": "http-poll"}]},
    {"package": "com.plover.paces", "behaviour": [{"kind": "periodic-sync"}]},
]


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ({"behaviour": "http-poll", "package": "com.meadow.wether"}, "expect 1: package: no app here is called"),
        ({"behaviour": "http-pol"}, "expect 1: no app here has the behaviour 'http-pol'; did you mean 'http-poll'?"),
        (
            {"behaviour": "http-poll", "package": "com.plover.paces"},
            "expect 1: behaviour: 'com.plover.paces' has no 'http-poll'; it has periodic-sync",
        ),
    ],
)
def test_the_field_that_is_wrong_is_blamed(expect, fault):
    (found,) = promise_faults({"app": APPS, "expect": [expect]})
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "expect",
    [{"behaviour": "http-poll"}, {"behaviour": "http-poll", "package": "com.meadow.weather"}, {"behaviour": 3}, 7],
)
def test_what_is_there_or_is_no_table_is_no_fault_here(expect):
    assert list(promise_faults({"app": APPS, "expect": [expect]})) == []


def test_an_unknown_kind_is_not_told_twice():
    apps = [{"package": "com.meadow.weather", "behaviour": [{"kind": "http-pol"}]}]
    assert list(promise_faults({"app": apps, "expect": [{"behaviour": "http-poll"}]})) == []


def test_it_is_told_beside_the_faults_of_other_fields():
    text = """
question = "No question."
span = "1h"
devices = 1
[[app]]
package = "com.meadow.weather"
category = "weather"
[[app.behaviour]]
kind = "http-poll"
[[expect]]
behaviour = "http-poll"
package = "com.meadow.nothing"
contacts = { at_least = 1 }
"""
    with pytest.raises(ScenarioError) as wrong:
        parse_scenario(text.encode(), name="x", place="x.toml")
    assert [fault.split(":")[1].strip() for fault in wrong.value.faults] == ["question", "expect 1"]
