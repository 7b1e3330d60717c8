"""What is read off a timeline: who plays which part, and no column without its meaning."""

from collections import Counter
from dataclasses import replace

import pytest

from lab.catalogue.traits import DRAWN, app_rows, channels, parts_of, peer_rows
from lab.scenario import compile_scenario, find_scenario, load_scenario, parse_scenario

HOUR = 3_600_000_000


def evening(name):
    scenario = load_scenario(find_scenario(name))
    short = replace(scenario, span=HOUR, start=scenario.start + 19 * HOUR)
    return scenario, compile_scenario(short, 1)


@pytest.fixture(scope="module")
def poll():
    return evening("https-poll-5m")


def test_a_part_is_played_by_the_labelled_and_by_who_imitates_them():
    pair = [load_scenario(find_scenario(name)) for name in ("https-poll-5m", "https-checkin-5m")]
    assert parts_of(pair) == {
        "https-poll-5m": frozenset({"com.orchard.torch"}),
        "https-checkin-5m": frozenset({"com.cobalt.warden"}),
    }
    assert parts_of(pair[:1]) == {}


def test_the_same_app_may_be_guilty_here_and_innocent_there():
    bad, good = (load_scenario(find_scenario(name)) for name in ("https-poll-5m", "https-checkin-5m"))
    torch = next(app for app in bad.apps if app.package == "com.orchard.torch")
    calm = replace(torch, behaviours=tuple(replace(row, label="") for row in torch.behaviours))
    apps = (*(app for app in good.apps if app.package != "com.cobalt.warden"), calm)
    assert parts_of([bad, replace(good, apps=apps)])["https-checkin-5m"] == {"com.orchard.torch"}


def test_every_app_has_a_row_and_only_the_labelled_is_malicious(poll):
    scenario, timeline = poll
    rows = list(app_rows(scenario, timeline))
    assert len(rows) == sum(app.on for app in scenario.apps)
    assert Counter(row.package for row in rows if row.malicious) == {"com.orchard.torch": 2}
    assert {row.pair for row in rows} == {"https-poll-5m"}
    (mail,) = (row.traits for row in rows if row.package == "com.quill.mail")
    assert (mail["category"], mail["role"], mail["roles"], mail["on how many devices"]) == (
        "communication",
        "mail",
        1,
        1,
    )
    assert (mail["package name length"], mail["words of the package"], mail["label length"]) == (14, 3, 4)


def test_a_background_app_has_its_own_plan():
    text = """question = "Who is there?"\nspan = "1h"\ndevices = 2\n[background]\napps = 9
[[app]]\npackage = "com.orchard.torch"\ncategory = "tools"\ninstalled = "10m"
[[app.behaviour]]\nkind = "http-poll"\n"""
    scenario = parse_scenario(text.encode(), name="x", place="x.toml")
    rows = list(app_rows(scenario, compile_scenario(scenario, 1)))
    assert len(rows) == 20
    assert [row.traits["installed late"] for row in rows if row.package == "com.orchard.torch"] == [True, True]
    assert len({row.traits["behaviours"] for row in rows}) > 1


def test_peers_have_a_name_a_ttl_and_a_manner(poll):
    scenario, timeline = poll
    rows = list(peer_rows(scenario, timeline))
    bad = [row for row in rows if row.malicious]
    assert {row.package for row in bad} == {"com.orchard.torch"}
    assert {(row.traits["protocol"], row.traits["port"], row.traits["transport"]) for row in bad} == {
        ("http+tls", 443, "tcp")
    }
    assert all(row.traits["TTL of the name"] >= 30 for row in bad)
    assert {row.traits["reach"] for row in rows} >= {"popular", "vendor"}
    ranked = [row.traits["rank among the popular"] for row in rows if row.traits["reach"] == "popular"]
    assert ranked
    assert None not in ranked
    assert all(row.traits["rank among the popular"] is None for row in rows if row.traits["reach"] == "vendor")


def test_only_what_imitates_plays_the_twin():
    scenario, timeline = evening("https-checkin-5m")
    acts = {row.package for row in peer_rows(scenario, timeline) if row.acts}
    assert acts == {"com.cobalt.warden"}


def test_channels_count_apps_by_protocol_and_port(poll):
    _, timeline = poll
    used = channels(timeline)
    assert used[True] == {("protocol", "http+tls"): 2, ("port", "tcp 443"): 2}
    assert used[False]["protocol", "push+tls"] == 3
    assert all("dns" not in what for _, what in used[True])


def test_every_drawn_trait_is_a_trait(poll):
    scenario, timeline = poll
    known = {name for rows in (app_rows, peer_rows) for row in rows(scenario, timeline) for name in row.traits}
    assert known >= DRAWN
