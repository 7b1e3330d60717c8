"""A new scenario file passes as it stands and explains every field."""

from __future__ import annotations

import pytest

from lab.kinds import behaviour_names
from lab.scenario import compile_scenario, parse_scenario, template
from lab.scenario_file import AppTable, BackgroundTable, ScenarioTable
from lab.template import text_of


def test_the_template_loads_and_compiles():
    scenario = parse_scenario(template("my-own").encode(), name="my-own", place="my-own.toml")
    timeline = compile_scenario(scenario, 1)
    assert timeline.scenario == "my-own"
    least, most = scenario.expectations[0].bounds["contacts"]
    for incident in timeline.incidents:
        assert least <= incident.contacts <= most


@pytest.mark.parametrize(
    "field", sorted({*ScenarioTable.model_fields, *AppTable.model_fields, *BackgroundTable.model_fields} - {"label"})
)
def test_the_template_shows_every_field(field):
    assert field in template("x")


def test_the_template_names_all_kinds():
    text = text_of("x", ["spare"], behaviour_names())
    assert all(kind in text for kind in behaviour_names())
