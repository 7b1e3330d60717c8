"""Suite live is what the live stage can play in minutes, and no word of it belongs to one class."""

from __future__ import annotations

import numpy as np
import pytest

from lab.scenario import compile_scenario, find_scenario, load_scenario, load_suite, scenario_names, suite_scenarios

SUITE = load_suite("live").scenarios
LIVE = [name for name in scenario_names() if name.startswith("live-")]
HOUR = 3_600_000_000
#: One scenario per protocol, and the speech of its labelled behaviour: protocol, TLS.
PROTOCOLS = {
    "live-http": ("http", False),
    "live-https": ("http", True),
    "live-ws": ("websocket", False),
    "live-wss": ("websocket", True),
    "live-dns": ("dns", False),
    "live-smtp": ("smtp", False),
    "live-imap": ("imap", True),
    "live-socks5": ("socks5", False),
    "live-connect": ("connect", False),
    "live-backconnect": ("mux", True),
}


def compiled(name, seed=1):
    return compile_scenario(load_scenario(find_scenario(name)), seed)


def spoken(timeline, *, labelled):
    """(protocol, TLS, port, inbound) of what incidents say, or of what everybody else does; look-ups aside."""
    said = timeline.conversations
    own = (said.behaviour != timeline.behaviours.index("name-lookup")) & ((said.incident >= 0) == labelled)
    used = {(int(s), bool(i)) for s, i in zip(said.speech[own], said.inbound[own], strict=True)}
    return {(timeline.speeches[s].protocol, timeline.speeches[s].tls, timeline.speeches[s].port, i) for s, i in used}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_protocol_has_a_scenario_with_an_incident_that_speaks_it(name):
    assert name in SUITE
    assert PROTOCOLS[name] in {(protocol, tls) for protocol, tls, _, _ in spoken(compiled(name), labelled=True)}


@pytest.mark.parametrize("name", LIVE)
def test_a_scenario_is_short_enough_to_be_played(name):
    timeline = compiled(name)
    day = name.startswith("live-day")
    assert timeline.span == (24 * HOUR if day else HOUR)
    assert len(timeline.devices) == (5 if "-five" in name else 1)
    assert 15 <= len(timeline.conversations.start) <= (1_500 if day else 450)
    if timeline.incidents:
        said = timeline.conversations
        assert len(set(said.app[said.incident < 0].tolist())) >= 3, "ordinary apps stand beside"


def test_every_protocol_and_port_of_an_attack_is_also_honest():
    timelines = [compiled(name, seed) for name in SUITE for seed in (1, 2, 3)]
    attacks = set().union(*(spoken(timeline, labelled=True) for timeline in timelines))
    honest = set().union(*(spoken(timeline, labelled=False) for timeline in timelines))
    assert {protocol for protocol, *_ in attacks} >= {protocol for protocol, _ in PROTOCOLS.values()}
    assert attacks <= honest


def test_five_phones_are_not_all_the_attackers():
    for name in ("live-https-five", "live-backconnect-five"):
        timeline = compiled(name)
        assert len({timeline.apps[incident.app].device for incident in timeline.incidents}) == 2


def test_a_twin_says_as_much_as_what_it_imitates():
    scenarios = {name: load_scenario(find_scenario(name)) for name in LIVE}
    twins = {name: one.twin_of for name, one in scenarios.items() if one.twin_of}
    assert set(twins.values()) == {name for name, one in scenarios.items() if one.analytics}
    for twin, name in twins.items():
        for mine, its in zip(scenarios[twin].expectations, scenarios[name].expectations, strict=True):
            assert mine.bounds.keys() == its.bounds.keys()
            for measure, (low, high) in mine.bounds.items():
                assert low <= its.bounds[measure][1]
                assert its.bounds[measure][0] <= high


def test_the_suite_loads_as_one():
    name, scenarios = suite_scenarios("live")
    assert name == "live"
    assert sum(np.array([one.span for one in scenarios])) / 60 / 1e6 <= 20 * 60, "20 minutes at --speed 60"
