"""Compiling: the same for the same seed, another for another; every column points at something real."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from lab.errors import ScenarioError
from lab.scenario import (
    compile_scenario,
    find_scenario,
    load_scenario,
    load_suite,
    parse_scenario,
    scenario_names,
)
from lab.world.cast import RESOLVER


def scenario(name):
    return load_scenario(find_scenario(name))


@cache
def compiled(name, seed):
    return compile_scenario(scenario(name), seed)


def tables(timeline):
    return [timeline.conversations, timeline.exchanges, timeline.states]


def same(one, two):
    columns = all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name))
        for a, b in zip(tables(one), tables(two), strict=True)
        for field in fields(a)
    )
    names = ("devices", "apps", "hosts", "speeches", "behaviours", "incidents", "listeners")
    return columns and all(getattr(one, name) == getattr(two, name) for name in names)


@pytest.fixture(scope="module", params=["https-poll-5m", "socks-relay", "backconnect-relay", "dns-poll-txt"])
def timeline(request):
    return compiled(request.param, 1)


def test_the_same_seed_is_the_same_timeline():
    made = scenario("socks-relay")
    assert same(compile_scenario(made, 3), compile_scenario(made, 3))
    assert not same(compile_scenario(made, 3), compile_scenario(made, 4))


def test_the_order_in_the_file_changes_no_plan():
    made = scenario("https-poll-5m")
    turned = replace(made, apps=tuple(reversed(made.apps)))
    one, two = compile_scenario(made, 3), compile_scenario(turned, 3)
    assert same(one, two)


def test_columns_are_in_order_and_in_range(timeline):
    said, words = timeline.conversations, timeline.exchanges
    assert np.all(np.diff(said.start) >= 0)
    assert np.all(said.close >= said.start)
    assert said.start.min() >= timeline.start
    assert said.close.max() < timeline.start + timeline.span
    assert np.all(np.diff(words.conversation) >= 0)
    assert np.all(np.diff(words.time)[np.diff(words.conversation) == 0] >= 0)
    for column, table in (
        (said.app, timeline.apps),
        (said.host, timeline.hosts),
        (said.speech, timeline.speeches),
        (said.behaviour, timeline.behaviours),
        (words.conversation, said.start),
    ):
        assert column.min() >= 0
        assert column.max() < len(table)
    assert said.incident.max() < len(timeline.incidents)
    assert said.incident.min() == -1
    assert timeline.exchange_slices()[-1] == len(words.time)


def test_devices_apps_and_uids_are_those_of_android(timeline):
    assert [device.name for device in timeline.devices] == ["phone-01", "phone-02", "phone-03"]
    assert all(device.address.startswith("10.88.") for device in timeline.devices)
    assert {app.uid for app in timeline.apps if app.package == "netd"} == {1051}
    uids = {(app.package, app.uid) for app in timeline.apps if app.package != "netd"}
    assert len(uids) == len({uid for _, uid in uids}) == len({package for package, _ in uids})
    assert all(10_000 <= uid < 20_000 for _, uid in uids)


def test_named_hosts_are_looked_up_first_and_not_while_cached(timeline):
    said = timeline.conversations
    device = np.array([app.device for app in timeline.apps])[said.app]
    name = np.array([host.name for host in timeline.hosts])[said.host]
    lookup = said.behaviour == timeline.behaviours.index("name-lookup")
    assert {timeline.hosts[host].address for host in said.host[lookup]} == {RESOLVER}
    assert {timeline.apps[app].package for app in said.app[lookup]} == {"netd"}
    resolver = np.array([host.address == RESOLVER for host in timeline.hosts])[said.host]
    asked = {(d, n) for d, n in zip(device[lookup], name[lookup], strict=True)}
    contacted = {
        (d, n)
        for d, n, other, inbound in zip(device, name, resolver, said.inbound, strict=True)
        if n and not other and not inbound
    }
    assert contacted == asked
    for d, n in sorted(contacted)[:40]:
        mine = (device == d) & (name == n)
        first = said.start[mine & ~resolver].min()
        assert said.start[mine & lookup].min() < first
        ttl = {int(timeline.speeches[s].options["ttl"]) for s in said.speech[mine & lookup]}
        assert len(ttl) == 1
        assert np.all(np.diff(said.start[mine & lookup]) > (ttl.pop() - 2) * 1_000_000)


def test_a_look_up_answers_with_the_address_that_is_contacted(timeline):
    addresses = {host.name: host.address for host in timeline.hosts if host.name and host.address != RESOLVER}
    said = timeline.conversations
    lookups = np.flatnonzero(said.behaviour == timeline.behaviours.index("name-lookup"))
    for row in lookups[:200]:
        assert timeline.speeches[said.speech[row]].options["answer"] == addresses[timeline.hosts[said.host[row]].name]


def test_a_look_up_belongs_to_the_incident_that_caused_it():
    timeline = compiled("backconnect-relay", 1)
    said = timeline.conversations
    lookup = said.behaviour == timeline.behaviours.index("name-lookup")
    assert (said.incident[lookup] >= 0).sum() > 20
    assert (said.incident[lookup] < 0).sum() > 20


def test_incidents_are_one_per_device_and_count_their_contacts(timeline):
    assert len(timeline.incidents) == {"dns-poll-txt": 3}.get(timeline.scenario, 2)
    for number, incident in enumerate(timeline.incidents):
        mine = (timeline.conversations.incident == number) & (timeline.conversations.app == incident.app)
        assert mine[timeline.exchanges.conversation].sum() == incident.contacts > 0
        app = timeline.apps[incident.app]
        device = timeline.devices[app.device].name
        assert incident.incident == f"{device}/{app.package}/{incident.behaviour}"
        assert incident.technique in ("T1437", "T1604")


def test_ports_are_ephemeral_and_not_used_twice(timeline):
    said = timeline.conversations
    device = np.array([app.device for app in timeline.apps])[said.app]
    pairs = np.stack([device, said.client_port])
    assert np.unique(pairs, axis=1).shape[1] == len(said.start)
    assert said.client_port.min() >= 32_768
    assert said.client_port.max() < 61_000


def test_relayed_conversations_wear_their_customers_tls():
    timeline = compiled("socks-relay", 1)
    said = timeline.conversations
    incident = timeline.incidents[0]
    mine = (said.incident == 0) & (said.app == incident.app)
    assert len(set(said.stack[mine & ~said.inbound].tolist())) >= 4
    targets = {timeline.speeches[s].options["target"] for s in said.speech[mine & said.inbound]}
    named = {f"{timeline.hosts[h].name}:443" for h in said.host[mine & ~said.inbound]}
    assert targets == named
    assert {listener.port for listener in timeline.listeners if listener.app == incident.app} == {1080}


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_shows_what_it_expects(name):
    made = scenario(name)
    timeline = compiled(name, 1)
    said = timeline.conversations
    for expect in made.expectations:
        kind = said.behaviour == timeline.behaviours.index(expect.behaviour)
        apps = [number for number, app in enumerate(timeline.apps) if expect.package in ("", app.package)]
        speaking = [number for number in apps if (kind & (said.app == number)).any()]
        assert speaking
        for number in speaking:
            mine = kind & (said.app == number)
            rows = mine[timeline.exchanges.conversation]
            found = {"contacts": rows.sum(), "conversations": mine.sum()}
            found["bytes"] = (timeline.exchanges.up[rows] + timeline.exchanges.down[rows]).sum()
            for what, (least, most) in expect.bounds.items():
                assert (least or 0) <= found[what] <= (most or np.inf), (expect.behaviour, what)


WEEKS = load_suite("benign-month").scenarios


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_is_small_enough_to_play(name):
    timeline = compiled(name, 1)
    spoken = timeline.exchanges.up.sum() + timeline.exchanges.down.sum()
    # 400,000 of these packets took 8 s and 500 MB; weeks are for stages that make no packets
    most = 3_000_000 if name in WEEKS else 450_000
    assert spoken / 1400 * 1.6 + 8 * len(timeline.conversations.start) < most


def test_a_labelled_behaviour_that_never_speaks_is_a_fault():
    """An incident without a contact could not be detected, and would vanish from every total."""
    text = find_scenario("https-poll-5m").read_text()
    slow = text.replace('span = "24h"', 'span = "1m"').replace('period = "5m"', 'period = "10h"')
    made = parse_scenario(slow.encode(), name="slow", place="slow.toml")
    with pytest.raises(ScenarioError) as raised:
        compile_scenario(made, 1)
    assert len(raised.value.faults) == 2
    for fault in raised.value.faults:
        assert "scenario slow, seed 1: app 'com.orchard.torch', behaviour 'http-poll': no contact on phone-0" in fault
        assert "within the span of 60 s" in fault


def test_a_benign_behaviour_may_be_silent():
    made = replace(scenario("https-checkin-5m"), span=60_000_000)
    assert compile_scenario(made, 1).incidents == ()


def living(name, state, seed=1):
    """That scenario with another [state]."""
    made = scenario(name)
    return compile_scenario(replace(made, phones=replace(made.phones, **state)), seed)


@pytest.fixture(scope="module", params=["https-poll-5m", "backconnect-relay"])
def roaming(request):
    return living(request.param, {"networks": "roaming", "profiles": ("office-worker", "night-nurse", "driver")})


def test_no_conversation_of_a_roaming_phone_spans_a_change(roaming):
    said = roaming.conversations
    device = np.array([app.device for app in roaming.apps])[said.app]
    severed = 0
    for number, phone in enumerate(roaming.devices):
        assert len(phone.addresses) == 3
        since = np.array([one.since for one in phone.attachments])
        assert since[0] == roaming.start
        mine = device == number
        on = np.searchsorted(since, said.start[mine], side="right")
        until = np.append(since, np.iinfo(np.int64).max)[on]
        assert np.all(said.close[mine] <= until)
        severed += int((said.close[mine] == until).sum())
    assert severed > 5
    addresses = [address for phone in roaming.devices for address in phone.addresses]
    assert len(set(addresses)) == 9
    assert all(address.startswith("10.88.") for address in addresses)


def test_a_roaming_phone_looks_names_up_anew_on_each_network(roaming):
    said = roaming.conversations
    device = np.array([app.device for app in roaming.apps])[said.app]
    lookup = said.behaviour == roaming.behaviours.index("name-lookup")
    named = np.array([bool(host.name) and host.address != RESOLVER for host in roaming.hosts])[said.host]
    for number, phone in enumerate(roaming.devices):
        for change in phone.attachments[1:]:
            after = (device == number) & (said.start >= change.since)
            first = np.flatnonzero(after & named & ~said.inbound)[:1]
            assert said.start[after & lookup].min() < said.start[first].min()


def test_the_contacts_of_a_roaming_phone_are_those_of_one_at_home(roaming):
    home = compiled(roaming.scenario, 1)
    found, there = ({one.incident: one.contacts for one in made.incidents} for made in (roaming, home))
    assert {name.partition("/")[2] for name in found} == {name.partition("/")[2] for name in there}
    for number, incident in enumerate(roaming.incidents):
        own = roaming.conversations.incident == number
        own &= roaming.conversations.app == incident.app
        assert own[roaming.exchanges.conversation].sum() == incident.contacts > 0


def test_profiles_are_dealt_out_in_turns():
    made = living("https-poll-5m", {"profiles": ("kiosk", "spare")})
    states = made.states
    lit = [bool(states.screen_on[states.device == number].all()) for number in range(3)]
    assert lit == [True, False, True]


def test_a_phone_on_the_mobile_network_has_no_wifi_and_one_address():
    made = living("https-poll-5m", {"networks": "mobile"})
    assert all(len(phone.attachments) == 1 for phone in made.devices)
    assert {phone.attachments[0].network for phone in made.devices} == {"mobile"}
    assert compiled("https-poll-5m", 1).devices[0].attachments == ()


def test_private_dns_hides_every_look_up_of_netd():
    made, plain = living("https-poll-5m", {"private_dns": True}), compiled("https-poll-5m", 1)
    kind = made.behaviours.index("name-lookup")
    said, words = made.conversations, made.exchanges
    private = said.behaviour == kind
    speeches = [made.speeches[row] for row in set(said.speech[private].tolist())]
    assert [(one.protocol, one.tls, one.port) for one in speeches] == [("dns_tcp", True, 853)]
    asked = private[words.conversation]
    assert asked.sum() == (plain.conversations.behaviour == plain.behaviours.index("name-lookup")).sum()
    assert private.sum() < asked.sum(), "connections are used again"
    assert {(int(up), int(down)) for up, down in zip(words.up[asked], words.down[asked], strict=True)} == {(130, 470)}
    assert np.all(words.time[asked] > said.start[words.conversation[asked]])
    assert np.all(said.close[private] >= said.start[private])
    assert said.close.max() < made.start + made.span
