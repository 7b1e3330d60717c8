"""The shortcut report: what it rests on, what it leaves to all suites together, and what it calls wrong."""

from dataclasses import replace

import pytest

from lab.catalogue import shortcuts as module
from lab.catalogue.columns import FEW, LEAK, OK, Column
from lab.catalogue.shortcuts import HOUR, POOL, evening, pooled, reported, shortcuts
from lab.errors import ScenarioError
from lab.scenario import find_scenario, load_scenario, suite_scenarios


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
    return reported(*suite_scenarios("smoke"))


def test_a_report_says_what_it_rests_on(smoke):
    assert (smoke.suite, smoke.scenarios, smoke.seeds) == ("smoke", 2, 160)
    said = smoke.to_json()
    assert set(said["columns"][0]) == {*Column.__dataclass_fields__, "auc", "interval"}
    assert said["leaks"] == list(smoke.leaks)
    assert {"table": "apps", "column": "category", "among": "twins"} in said["too_few"]
    drawn = [one for one in smoke.columns if one.kind == "drawn"]
    assert {one.verdict for one in drawn if one.malicious == one.benign == 160} == {OK}
    assert {one.malicious for one in drawn if one.column in {"uid", "certificate", "MAC, last octet"}} == {160}


def test_what_a_suite_has_too_few_apps_for_is_judged_over_all(smoke):
    assert smoke.too_few
    assert all(one.verdict == FEW for one in smoke.too_few)
    able = replace(smoke, suite=POOL, columns=tuple(replace(one, verdict=OK) for one in smoke.columns))
    assert smoke.unjudged(able) == ()
    assert smoke.unjudged(replace(able, columns=())) == smoke.too_few
    assert smoke.unjudged(smoke) == smoke.too_few
    assert 0 < len(smoke.doubtful(smoke)) < len(smoke.too_few)


def test_a_column_that_all_suites_are_too_few_for_is_told_as_they_see_it(smoke):
    there = tuple(replace(one, stump=0.55, tree=0.5, malicious=113) for one in smoke.too_few)
    whole = replace(smoke, suite=POOL, columns=there)
    assert smoke.unjudged(whole) == there
    assert smoke.doubtful(whole) == ()
    assert whole.doubtful(whole) == ()


def test_a_pair_of_ones_own_is_not_acquitted_by_the_bundled_suites(monkeypatch):
    """One pair that its labels tell apart completely, whose pool says that labels tell nothing."""
    mine = tuple(
        replace(one, name=f"my-{one.name}", sha256=f"{n}", twin_of=one.twin_of and f"my-{one.twin_of}")
        for n, one in enumerate(suite_scenarios("smoke")[1])
    )
    judge, pools = reported, []

    def pool_is_well(name, scenarios, _apps, advance):
        if name != POOL:
            return judge(name, scenarios, 2, advance)
        pools.append([one.name for one in scenarios])
        return replace(first, suite=POOL, columns=tuple(replace(one, stump=0.5, verdict=OK) for one in first.columns))

    first = judge("mine", mine, 2)
    assert first.leaks == ()
    monkeypatch.setattr(module, "pooled", lambda: suite_scenarios("smoke")[1])
    monkeypatch.setattr(module, "reported", pool_is_well)
    monkeypatch.setattr(
        module, "suite_scenarios", lambda name: ("mine", mine) if name == "mine" else suite_scenarios(name)
    )
    own, whole = shortcuts(["mine"])
    assert {one.name for one in mine} <= {*pools[0]}
    assert own.unbundled == tuple(one.name for one in mine)
    assert ("apps", "label length", "twins") in {one.key for one in own.doubtful(whole)}
    assert replace(own, unbundled=()).doubtful(whole) == ()


def test_a_scenario_that_is_called_like_another_cannot_join_the_pool(monkeypatch):
    smoke = suite_scenarios("smoke")[1]
    other = replace(smoke[0], sha256="another")
    monkeypatch.setattr(module, "pooled", lambda: smoke)
    monkeypatch.setattr(module, "suite_scenarios", lambda name: (name, (other, smoke[1])))
    with pytest.raises(ScenarioError, match="rename the file"):
        shortcuts(["mine"])


def test_the_pool_holds_every_suite_with_an_attack():
    names = [one.name for one in pooled()]
    assert len(names) == len(set(names))
    assert {one.name for suite in ("core", "full", "smoke") for one in suite_scenarios(suite)[1]} <= set(names)


def test_the_pool_is_asked_where_a_suite_is_too_small(smoke, monkeypatch):
    asked, seen = [], []

    def told(name, scenarios, _apps, advance):
        asked.append(name)
        advance(len(scenarios), len(scenarios))
        return replace(smoke, suite=name, columns=smoke.columns if name == "smoke" else ())

    monkeypatch.setattr(module, "reported", told)
    monkeypatch.setattr(module, "pooled", lambda: suite_scenarios("smoke")[1])
    assert [one.suite for one in shortcuts(["smoke"], lambda done, of: seen.append((done, of)))] == ["smoke", POOL]
    assert asked == ["smoke", POOL]
    assert seen == sorted(seen)
    asked.clear()
    assert [one.suite for one in shortcuts(["core"])] == ["core"]


def test_the_judgement_is_a_step_of_its_own(smoke, monkeypatch):
    seen = []

    def judged(*_about):
        seen.append("judged")
        return list(smoke.columns)

    monkeypatch.setattr(module, "judged", judged)
    reported(*suite_scenarios("smoke"), 2, lambda done, of: seen.append((done, of)))
    of = 1 + len(suite_scenarios("smoke")[1])
    assert seen[0] == (1, of)
    assert (of, of) not in seen[: seen.index("judged")]
    assert seen[-1] == (of, of)


def test_what_looks_like_a_drawn_leak_is_looked_at_again(monkeypatch):
    looks = []

    def judged(_table, rows, _parts):
        seeds = {row.seed for row in rows}
        looks.append(len(seeds))
        first = len(looks) <= 2
        return [Column("apps", "uid", "twins", "drawn", 9, 9, 0.7, 0.5, 0.01, LEAK if first else OK)]

    monkeypatch.setattr(module, "judged", judged)
    found = reported(*suite_scenarios("smoke"), apps=3)
    assert (found.seeds, looks, found.leaks) == (6, [3, 3, 6, 6], ())


def test_a_leak_is_told_in_words(smoke):
    one = replace(smoke.columns[0], stump=0.9, tree=0.8, verdict=LEAK)
    leaky = replace(smoke, columns=(one,), one_class=("port tcp 4444",))
    assert leaky.leaks[0].startswith(f"apps, {one.column}, against everybody: AUC 0.90")
    assert leaky.leaks[1] == "port tcp 4444: spoken by attacks only"


def test_a_suite_without_attacks_gives_nothing_away(tmp_path):
    suite = tmp_path / "calm.toml"
    suite.write_text('question = "Calm?"\nscenarios = ["smoke-checkin"]\n')
    with pytest.raises(ScenarioError, match="nothing is labelled"):
        shortcuts([str(suite)])
