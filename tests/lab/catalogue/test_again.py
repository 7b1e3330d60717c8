"""A behaviour that draws from anything but its own generator is told by its name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.catalogue.again import compiled_again
from lab.errors import ScenarioError
from lab.scenario import compile_scenario, find_scenario, load_scenario


@pytest.fixture(scope="module")
def scenario():
    return load_scenario(find_scenario("smoke-poll"))


def test_an_honest_scenario_compiles_to_the_same(scenario):
    compiled_again(scenario, 1, compile_scenario(scenario, 1))


def test_a_behaviour_of_another_generator_is_named(scenario, monkeypatch):
    kind = next(plan for app in scenario.apps for plan in app.behaviours if plan.label)
    made = type(kind.behaviour)
    honest, other = made.plan, np.random.default_rng(7)  # the same object for every plan, as a global one is
    monkeypatch.setattr(made, "plan", lambda self, _rng, window: honest(self, other, window))
    with pytest.raises(ScenarioError, match=rf"behaviour {kind.kind} differs when compiled again with seed 1"):
        compiled_again(scenario, 1, compile_scenario(scenario, 1))


def test_what_else_differs_is_told(scenario):
    first = compile_scenario(scenario, 1)
    with pytest.raises(ScenarioError, match="its hosts differs"):
        compiled_again(scenario, 1, replace(first, hosts=first.hosts[::-1]))
