"""The shortcut report: what it judges, when it calls a leak, and what it leaves to chance."""

from dataclasses import replace

import pytest

from lab.catalogue.shortcuts import HOUR, MANNERS, TOGETHER, Column, evening, judged, print_shortcuts, shortcuts
from lab.catalogue.traits import Row
from lab.errors import ScenarioError
from lab.scenario import find_scenario, load_scenario


def rows(pairs=40, seeds=2, **traits):
    """Two apps of a malicious scenario and one of its twin for each pair; traits by (malicious, number)."""
    made = []
    for pair in range(pairs):
        for seed in range(seeds):
            for package, scenario, bad in (("a", "bad", True), ("b", "bad", False), ("c", "good", False)):
                values = {name: value(bad, pair * 7 + ord(package) * 3 + seed) for name, value in traits.items()}
                made.append(Row(f"p{pair}", f"{scenario}{pair}", seed, f"{package}{pair}", bad, True, values))
    return made


PARTS = {f"bad{pair}": frozenset({f"a{pair}"}) for pair in range(40)} | {
    f"good{pair}": frozenset({f"c{pair}"}) for pair in range(40)
}


def told(made, **among):
    return {(one.column, one.among): one for one in judged("apps", made, PARTS)}


def test_what_tells_nothing_is_no_leak_and_what_does_is():
    found = told(
        rows(dull=lambda _, n: n * 37 % 11, loud=lambda bad, n: n % 3 + 2 * bad, word=lambda bad, _: f"w{bad}")
    )
    assert {name for name, one in found.items() if one.leak} == {
        (name, among) for name in ("loud", "word") for among in ("everybody", "twins")
    }
    assert found["loud", "everybody"].malicious == 40
    assert found["loud", "twins"].benign == 40
    assert found[TOGETHER, "twins"].tree > 0.9


def test_how_an_app_speaks_is_held_against_its_twin_alone():
    found = told(rows(port=lambda _, n: n % 5, dull=lambda _, n: n % 4))
    assert ("port", "twins") in found
    assert ("port", "everybody") not in found
    assert "port" in MANNERS


def test_few_apps_are_chance():
    found = told(rows(pairs=4, loud=lambda bad, _: int(bad)))
    assert (found["loud", "everybody"].stump, found["loud", "everybody"].malicious) == (1.0, 4)
    assert found["loud", "everybody"].chance < 0.5
    assert found["loud", "everybody"].leak, "all four against all eight is more than chance"
    some = told(rows(pairs=4, mild=lambda bad, n: n % 4 + bad))["mild", "everybody"]
    assert some.stump > 0.6
    assert not some.leak


def test_what_some_lack_is_judged_where_it_is():
    found = told(rows(seeds=1, rank=lambda bad, n: n * 2_654_435_761 % 4_093 % 11 if bad or n % 2 else None))
    assert found["rank", "everybody"].benign < 80
    assert not found["rank", "everybody"].leak


def test_an_evening_shows_every_app_and_is_as_long_as_it_must_be():
    poll = load_scenario(find_scenario("https-poll-5m"))
    late = replace(poll, apps=tuple(replace(app, installed=23 * HOUR) for app in poll.apps))
    assert evening(late, 1).span == HOUR
    assert evening(late, 1).incidents
    morning = replace(poll, apps=tuple(_by_day(app) for app in poll.apps), span=48 * HOUR)
    assert evening(morning, 1).span == 24 * HOUR


def _by_day(app):
    rows = tuple(
        replace(row, behaviour=replace(row.behaviour, from_hour=9.0, until_hour=10.0) if row.label else row.behaviour)
        for row in app.behaviours
    )
    return replace(app, behaviours=rows)


@pytest.fixture(scope="module")
def smoke():
    (report,) = shortcuts(["smoke"])
    return report


def test_a_report_says_what_it_rests_on(smoke, capsys):
    assert (smoke.suite, smoke.scenarios, smoke.seeds) == ("smoke", 2, 9)
    said = smoke.to_json()
    assert set(said["columns"][0]) == set(Column.__dataclass_fields__)
    assert said["leaks"] == list(smoke.leaks)
    print_shortcuts([smoke])
    assert "suite smoke: 2 scenarios, 9 seeds" in capsys.readouterr().out


def test_a_leak_is_told_in_words(smoke, capsys):
    one = replace(smoke.columns[0], stump=0.9, tree=0.8, leak=True)
    leaky = replace(smoke, columns=(one,), one_class=("port tcp 4444",))
    assert len(leaky.leaks) == 2
    assert "stump 0.90, tree 0.80" in leaky.leaks[0]
    print_shortcuts([leaky])
    assert "port tcp 4444: spoken by attacks only" in capsys.readouterr().out


def test_a_suite_without_attacks_gives_nothing_away(tmp_path):
    suite = tmp_path / "calm.toml"
    suite.write_text('question = "Calm?"\nscenarios = ["smoke-checkin"]\n')
    with pytest.raises(ScenarioError, match="nothing is labelled"):
        shortcuts([str(suite)])
