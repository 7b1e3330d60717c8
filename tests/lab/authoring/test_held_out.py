"""What is held out: a family is whole, its reason is said, and whoever tunes gets both classes without it."""

from __future__ import annotations

import pytest

from lab.authoring.held_out import families, held_out, parse_families
from lab.errors import ScenarioError
from lab.scenario import load_all, scenario_names, suite_scenarios

GOOD = """
[[family]]
name = "smoke"
reason = "Nobody should tune on what lasts a minute."
scenarios = ["smoke-poll", "smoke-checkin"]
"""


def parse(text):
    return parse_families(text.encode(), "held-out.toml")


def test_the_bundled_file_names_families_with_reasons():
    found = families()
    assert len(found) >= 5
    assert held_out() == {name for family in found for name in family.scenarios}
    assert held_out() < set(scenario_names())
    assert all(family.reason.endswith(".") for family in found)


def test_no_pair_is_split():
    """Who may look at a twin knows the shape that is held out."""
    out = held_out()
    for one in load_all(scenario_names()):
        if one.twin_of:
            assert (one.name in out) == (one.twin_of in out), one.name


def test_whoever_tunes_on_a_suite_keeps_both_classes():
    for suite in ("relay", "an1702", "full", "core"):
        _, scenarios = suite_scenarios(suite)
        left = [one for one in scenarios if one.name not in held_out()]
        assert sum(bool(one.analytics) for one in left) >= 0.7 * sum(bool(one.analytics) for one in scenarios)
        assert any(one.analytics for one in left)
        assert any(not one.analytics for one in left)
        if suite != "core":
            assert len(left) < len(scenarios), "there is something to test on that was never tuned on"


def test_core_is_for_tuning():
    assert not held_out() & {one.name for one in suite_scenarios("core")[1]}


def test_without_a_file_nothing_is_held_out(tmp_path, monkeypatch):
    (tmp_path / "lab" / "_scenarios").mkdir(parents=True)
    monkeypatch.setattr("lab.shelf.__file__", str(tmp_path / "lab" / "shelf.py"))
    assert held_out() == frozenset()


def test_families_are_read_in_order():
    (family,) = parse(GOOD)
    assert (family.name, family.scenarios) == ("smoke", ("smoke-poll", "smoke-checkin"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("smoke-poll", "smoke-pol"), "unknown scenario 'smoke-pol'; did you mean 'smoke-poll'"),
        (("smoke-checkin", "smoke-poll"), "scenario 'smoke-poll' stands 2 times"),
        (("Nobody should tune on what lasts a minute.", "Because."), "family 1: reason: found 'Because.'"),
        (("name = ", "nam = "), "unknown field 'nam'"),
        ((GOOD, 2 * GOOD), "family 'smoke' stands 2 times"),
        ((GOOD, ""), "field 'family' is missing"),
    ],
)
def test_faults_are_told_with_their_place(change, fault):
    with pytest.raises(ScenarioError) as raised:
        parse(GOOD.replace(*change))
    assert any(one.startswith("held-out.toml: ") and fault in one for one in raised.value.faults), raised.value.faults


def test_all_faults_are_told_at_once():
    with pytest.raises(ScenarioError) as raised:
        parse(GOOD.replace("smoke-poll", "nothing").replace("smoke-checkin", "nobody"))
    assert len(raised.value.faults) == 2
