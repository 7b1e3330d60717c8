"""The background: shares hold, draws are stable, a bad file is told with its place, and no app looks like its role."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.authoring.background import background_apps, background_faults, inclusion, library, library_digest, sample
from lab.authoring.fields import CATEGORIES
from lab.authoring.plans import Background
from lab.errors import ScenarioError
from lab.scenario import compile_scenario, find_scenario, load_scenario, parse_scenario, scenario_names
from lab.world.lives import lives

DAY = 86_400_000_000
NONE = frozenset()
WORLD = """question = "Is it seen?"
span = "24h"
devices = 3
[background]
apps = 12
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
label = "AN1793"
"""


def drawn(seed, background=None, own=NONE, devices=4, span=DAY):
    return background_apps((seed, "x"), background or Background(20), own, devices, span)


def world(text=WORLD):
    return parse_scenario(text.encode(), name="world", place="world.toml")


def test_the_library_is_a_whole_phone():
    apps = library()
    assert len(apps) >= 60
    assert {app.category for app in apps} == set(CATEGORIES)
    assert sum(app.category == "system" for app in apps) >= 15
    assert sum(app.popularity for app in apps) > 20
    assert any(app.managed for app in apps)
    assert len(library_digest()) == 32


def test_library_apps_are_named_as_the_apps_of_scenarios_are():
    """Names, name lengths, agents and stacks come from one pool: a scenario's own app is not told by them."""
    own = {app.package for name in scenario_names() for app in load_scenario(find_scenario(name)).apps}
    ours = {app.package for app in library()}
    shape = re.compile(r"com\.[a-z]+\.[a-z]+")
    assert all(shape.fullmatch(package) for package in own | ours)
    lengths = [sorted(map(len, names)) for names in (own, ours)]
    assert abs(np.median(lengths[0]) - np.median(lengths[1])) <= 3
    malicious = {
        app.package
        for name in scenario_names()
        for app in load_scenario(find_scenario(name)).apps
        if any(row.label for row in app.behaviours)
    }
    assert all(min(map(len, ours)) <= len(package) <= max(map(len, ours)) for package in malicious)


@settings(deadline=None, max_examples=50)
@given(shares=st.lists(st.floats(0.01, 1.0), min_size=10, max_size=60), data=st.data())
def test_inclusion_keeps_the_order_of_shares_and_sums_up(shares, data):
    count = data.draw(st.integers(1, len(shares)))
    wanted = inclusion(np.array(shares), count)
    assert wanted.sum() == pytest.approx(count)
    assert np.all((wanted > 0) & (wanted <= 1 + 1e-6))
    assert np.all(np.diff(wanted[np.argsort(shares)]) >= -1e-9)
    chosen = sample(np.random.default_rng(data.draw(st.integers(0, 99))), wanted)
    assert len(set(chosen.tolist())) == len(chosen) == count


def test_shares_that_sum_to_the_count_are_kept_and_more_than_there_are_is_refused():
    shares = np.array([0.9, 0.9, 0.5, 0.4, 0.3])
    assert inclusion(shares, 3) == pytest.approx(shares)
    assert inclusion(np.array([0.5, 0.0, 0.5]), 1)[1] == 0
    with pytest.raises(ValueError, match="found 2 apps, expected at least 3"):
        inclusion(np.array([0.5, 0.0, 0.5]), 3)


def test_the_sample_has_its_probabilities():
    wanted = inclusion(np.linspace(0.05, 0.95, 12), 5)
    rng = np.random.default_rng(1)
    counts = sum(np.bincount(sample(rng, wanted), minlength=12) for _ in range(4_000))
    assert np.abs(counts / 4_000 - wanted).max() < 0.03  # 3.8 standard errors
    flat = np.full(12, 5 / 12)
    assert np.abs(counts / 4_000 - flat).max() > 0.03  # the bound tells a wrong one


def test_popular_apps_are_on_most_phones_and_tail_apps_on_few():
    seeds = [drawn(seed, Background(25), devices=10) for seed in range(12)]
    phones = [{plan.package for plan in phone} for seed in seeds for phone in seed]
    assert {len(phone) for phone in phones} == {25}
    share = {app.package: sum(app.package in phone for phone in phones) / len(phones) for app in library()}
    known = [app for app in library() if not app.managed]
    assert all(share[app.package] > 0.6 for app in known if app.popularity >= 0.9)
    assert all(share[app.package] < 0.35 for app in known if app.popularity <= 0.1)
    assert np.corrcoef([app.popularity for app in known], [share[app.package] for app in known])[0, 1] > 0.95


def test_what_is_managed_is_on_all_phones_of_an_enterprise_or_on_none():
    managed = {app.package for app in library() if app.managed}
    had = set()
    for seed in range(12):
        phones = [{plan.package for plan in phone} & managed for phone in drawn(seed, devices=5)]
        assert all(phone == phones[0] for phone in phones)
        had.add(frozenset(phones[0]))
    assert len(had) > 5


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000), apps=st.integers(10, 40))
def test_the_same_seed_is_the_same_background(seed, apps):
    one = drawn(seed, Background(apps))
    assert one == drawn(seed, Background(apps))
    assert one[:2] == drawn(seed, Background(apps), devices=2)  # a phone more moves no other
    assert one != drawn(seed + 1, Background(apps))


def test_an_app_has_one_set_of_settings_on_all_phones():
    plans = {}
    for phone in drawn(3, Background(40), devices=10):
        for plan in phone:
            assert plans.setdefault(plan.package, plan.behaviours) == plan.behaviours
    assert len(plans) > 40


def test_a_scenarios_own_apps_categories_and_what_it_leaves_out_are_not_drawn():
    own = frozenset(app.package for app in library()[:30])
    assert not {plan.package for phone in drawn(1, Background(30), own) for plan in phone} & own
    games = drawn(1, Background(3, categories=("games",)))
    assert {plan.category for phone in games for plan in phone} == {"games"}
    rest = drawn(1, Background(30, without=("tools", "com.heron.browser")))
    assert not any(plan.category == "tools" or plan.package == "com.heron.browser" for phone in rest for plan in phone)
    assert drawn(1, Background()) == [[], [], [], []]
    assert background_faults(Background(9, categories=("games",))) == [
        "apps: found 9, but 3 apps of the library are left"
    ]


def test_as_many_apps_as_are_asked_for_are_there_under_every_seed_or_it_is_refused():
    some = [app for app in library() if app.category == next(one.category for one in library() if one.managed)]
    plain = [app.package for app in some if not app.managed]
    wanted = Background(len(plain), categories=(some[0].category,))
    assert background_faults(wanted) == []
    assert all(len(phone) == len(plain) for seed in range(20) for phone in drawn(seed, wanted))
    assert background_faults(replace(wanted, apps=len(plain) + 1)) != []
    assert background_faults(wanted, frozenset(plain[:1])) != []


def test_over_a_month_apps_come_move_and_go_and_the_employers_stay():
    plans = [plan for phone in drawn(1, Background(40), devices=8, span=30 * DAY) for plan in phone]
    came, went, moved = (
        [plan.package for plan in plans if plan.installed],
        [plan.package for plan in plans if plan.removed is not None],
        [plan.package for plan in plans if plan.moves is not None],
    )
    assert all(0.05 < len(some) / len(plans) < 0.5 for some in (came, went, moved))
    stays = {app.package for app in library() if not app.comes_and_goes}
    assert not stays & {*came, *went}
    assert all(lives(plan, 30 * DAY) for plan in plans)
    assert all(plan.moves is None or plan.installed <= plan.moves < (plan.removed or 30 * DAY) for plan in plans)


@pytest.fixture
def apps_folder(tmp_path, monkeypatch):
    folder = tmp_path / "lab" / "_scenarios" / "apps"
    folder.mkdir(parents=True)
    monkeypatch.setattr("lab.shelf.__file__", str(tmp_path / "lab" / "shelf.py"))
    return folder


APP = 'package = "com.elder.berry"\ncategory = "tools"\npopularity = 0.5\n[[behaviour]]\nkind = "periodic-sync"\n'


def test_one_file_is_one_app(apps_folder):
    assert library() == ()
    (apps_folder / "one.toml").write_text(APP)
    assert [(app.package, app.label) for app in library()] == [("com.elder.berry", "Berry")]
    found = world(WORLD.replace("apps = 12", "apps = 1"))
    assert {app.package for app in compile_scenario(found, 1).apps} == {"netd", "com.orchard.torch", "com.elder.berry"}
    (apps_folder / "two.toml").write_text(APP.replace("berry", "wood"))
    assert len(library()) == 2
    assert world(WORLD.replace("apps = 12", "apps = 1")).sha256 != found.sha256


def test_every_fault_of_every_file_is_told_with_its_place(apps_folder):
    (apps_folder / "one.toml").write_text(APP.replace("0.5", "1.5") + 'perod = "5m"\n')
    (apps_folder / "three.toml").write_text(APP + "label = ")
    (apps_folder / "two.toml").write_text(APP + 'up = { from = 900, to = 300 }\nreach = "8.8.8.8"\n')
    with pytest.raises(ScenarioError) as raised:
        world()
    found = "\n".join(raised.value.faults)
    for expected in (
        "one.toml: popularity: found 1.5",
        "one.toml: behaviour 1: unknown setting 'perod'; did you mean 'period'?",
        "three.toml: not TOML",
        "two.toml: behaviour 1: up: found from 900 to 300, expected from below to",
        "two.toml: behaviour 1: reach: '8.8.8.8' is a routable destination",
    ):
        assert expected in found


def test_two_files_of_one_package_are_a_fault(apps_folder):
    for name in ("one", "two"):
        (apps_folder / f"{name}.toml").write_text(APP)
    with pytest.raises(ScenarioError, match=r"two\.toml: package 'com\.elder\.berry' stands in another file too"):
        library()


@cache
def compiled(seed):
    return compile_scenario(world(), seed)


def test_a_world_compiles_the_same_twice_and_has_its_apps():
    one, two = compiled(1), compile_scenario(world(), 1)
    assert one.apps == two.apps
    assert one.hosts == two.hosts
    assert np.array_equal(one.conversations.seed, two.conversations.seed)
    for device in range(3):
        assert sum(app.device == device for app in one.apps) == 12 + 1 + 1  # library, own, netd
    assert len(one.incidents) == 3


def test_an_own_app_that_is_in_the_library_too_stands_once():
    own = library()[5].package
    made = world(WORLD.replace("com.orchard.torch", own))
    assert sum(app.package == own for app in compile_scenario(made, 1).apps) == 3


def test_phones_share_the_hosts_of_shared_apps_and_not_all_others():
    timeline = compiled(1)
    said = timeline.conversations
    device = np.array([app.device for app in timeline.apps])[said.app]
    met = [set(said.host[device == number].tolist()) for number in range(3)]
    shared = met[0] & met[1] & met[2]
    assert len(shared) > 4
    assert all(len(mine - shared) > 10 for mine in met)


def test_installed_moved_and_removed_show_in_the_traffic():
    text = WORLD.replace('category = "tools"', 'category = "tools"\ninstalled = "6h"\nmoves = "12h"\nremoved = "20h"')
    timeline = compile_scenario(world(text), 1)
    said, hour = timeline.conversations, 3_600_000_000
    mine = np.flatnonzero(said.incident >= 0)
    mine = mine[said.behaviour[mine] == timeline.behaviours.index("http-poll")]
    start = said.start[mine] - timeline.start
    assert 6 * hour <= start.min() < 6.2 * hour
    assert 19.8 * hour < start.max() < 20 * hour
    hosts = {moved: {*said.host[mine][(start >= 12 * hour) == moved].tolist()} for moved in (False, True)}
    assert len(hosts[False]) == len(hosts[True]) == 1
    assert hosts[False] != hosts[True]
    assert sum(incident.contacts for incident in timeline.incidents) == (
        np.isin(timeline.exchanges.conversation, mine).sum()
    )


def test_an_app_must_live_within_the_span_and_in_order():
    for given_text, expected in (
        ('installed = "30h"', "app 1: installed: found '30h', expected before the span of 24h"),
        ('installed = "9h"\nremoved = "8h"', "app 1: installed: found '9h', expected before removed at '8h'"),
        ('moves = "9h"\nremoved = "8h"', "app 1: moves: found '9h', expected before removed at '8h'"),
        ('installed = "tomorrow"', "app 1: installed: found 'tomorrow', expected a duration"),
    ):
        with pytest.raises(ScenarioError) as raised:
            world(WORLD.replace('category = "tools"', f'category = "tools"\n{given_text}'))
        assert any(expected in fault for fault in raised.value.faults), raised.value.faults


def test_the_background_of_a_replaced_scenario_follows_it():
    made = world()
    assert len(compile_scenario(replace(made, background=Background()), 1).apps) == 6
