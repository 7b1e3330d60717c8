"""A new scenario file passes as it stands and explains every field."""

from __future__ import annotations

import pytest

from lab.authoring.kinds import behaviour_names
from lab.authoring.scenario_file import AppTable, BackgroundTable, ExpectTable, NetworkTable, ScenarioTable, StateTable
from lab.authoring.template import text_of
from lab.scenario import compile_scenario, parse_scenario, template


def test_the_template_loads_and_compiles():
    scenario = parse_scenario(template("my-own").encode(), name="my-own", place="my-own.toml")
    timeline = compile_scenario(scenario, 1)
    assert timeline.scenario == "my-own"
    least, most = scenario.expectations[0].bounds["contacts"]
    for incident in timeline.incidents:
        assert least <= incident.contacts <= most


TABLES = (ScenarioTable, StateTable, NetworkTable, BackgroundTable, AppTable, ExpectTable)


@pytest.mark.parametrize("field", sorted({name for table in TABLES for name in table.model_fields}))
def test_the_template_shows_every_field(field):
    text = template("x")
    assert f"{field} " in text or f"[{field}]" in text or f".{field}]" in text


def test_the_template_names_all_kinds():
    text = text_of("x", ["spare"], behaviour_names())
    assert all(kind in text for kind in behaviour_names())
