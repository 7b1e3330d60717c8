"""Who plays what: proxies for listeners, names for phones, and what is intercepted for whom."""

from __future__ import annotations

import dataclasses

import pytest

from lab.errors import ScenarioError, StageError
from lab.stages.live.casting import names_of, refuse_unplayable, refuse_unspeakable, relays_of, sight


def test_a_listener_becomes_the_proxy_that_strangers_speak_to(paced) -> None:
    for name, kind in (("live-socks5", "socks5"), ("live-connect", "connect")):
        timeline, scripts, _, courses = paced(name)
        (relay,) = relays_of(timeline, scripts, courses)
        (listener,) = timeline.listeners
        assert (relay.kind, relay.port, relay.time, relay.until) == (
            kind,
            listener.port,
            listener.time,
            listener.until,
        )
        assert relay.uid == timeline.apps[listener.app].uid
        assert relay.last_us == max(courses[s.n].close_real for s in scripts if s.inbound)


def test_without_listeners_there_is_no_proxy(paced) -> None:
    timeline, scripts, _, courses = paced("live-http")
    assert relays_of(timeline, scripts, courses) == []


def test_strangers_who_speak_what_is_no_proxy_s_get_a_plain_listener(paced) -> None:
    timeline, scripts, _, courses = paced("live-socks5")
    odd = [dataclasses.replace(s, protocol="http") if s.inbound else s for s in scripts]
    assert [relay.kind for relay in relays_of(timeline, odd, courses)] == [None]


@pytest.mark.parametrize("change", [{"transport": "udp"}, {"tls": True}])
def test_what_no_phone_here_can_listen_to_is_refused(paced, change) -> None:
    timeline, scripts, _, courses = paced("live-socks5")
    odd = [dataclasses.replace(s, **change) if s.inbound else s for s in scripts]
    with pytest.raises(StageError, match="strangers speak socks5 into a phone by datagrams or TLS"):
        relays_of(timeline, odd, courses)


def as_server(address):
    return lambda _: {"server": (address, 1900)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (as_server("239.255.255.250"), "socks5 asks a multicast group"),
        (as_server("224.0.0.251"), "asks a multicast group"),
        (as_server("10.88.0.1"), "socks5 asks the network's resolver otherwise"),
        (lambda _: {"protocol": "doh"}, "doh is HTTP/2"),
        (lambda s: {"transport": "udp", "from_client": ~s.from_client}, "begins with datagrams of the server"),
    ],
)
def test_what_this_stage_cannot_play_is_refused_before_it_begins(paced, change, told) -> None:
    _, scripts, _, _ = paced("live-socks5")
    refuse_unplayable(scripts)
    odd = next(s for s in scripts if s.protocol == "socks5" and len(s.from_client))
    with pytest.raises(StageError, match=told):
        refuse_unplayable([*scripts, dataclasses.replace(odd, **change(odd))])


@pytest.mark.parametrize("option", ["sni", "host", "ech", "resume", "starttls", "mode"])
def test_hellos_and_upgrades_that_this_stage_cannot_speak_are_refused(paced, option) -> None:
    timeline, *_ = paced("live-http")
    refuse_unspeakable(timeline)
    odd = dataclasses.replace(timeline.speeches[0], options={option: "1"})
    with pytest.raises(StageError, match=f"{odd.protocol} with {option} 1"):
        refuse_unspeakable(dataclasses.replace(timeline, speeches=(*timeline.speeches, odd)))
    refuse_unspeakable(
        dataclasses.replace(timeline, speeches=(dataclasses.replace(odd, options={"mode": "idle", "ech": "0"}),))
    )


def test_phones_know_every_server_and_no_look_up(script_of_scenario) -> None:
    _, scripts, _ = script_of_scenario("live-socks5")
    names = names_of(scripts)
    relayed = [s for s in scripts if s.via is not None and s.name]
    assert relayed
    assert all(names[s.name] == s.server[0] for s in relayed)


def test_the_web_is_expected_among_the_requests(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-https")
    seen = sight(timeline, scripts)
    assert seen.expected == {s.n for s in scripts if s.protocol == "http"}
    assert seen.pinned == ()


def test_a_request_through_a_proxy_on_a_phone_is_expected_like_any_other(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    plain = sight(timeline, scripts).expected
    relayed = next(s for s in scripts if s.via is not None)
    assert relayed.n not in plain
    there = {s.n for s in scripts if s.server == relayed.server}  # one place is let through whole or not at all
    asking = [dataclasses.replace(s, protocol="http") if s.n in there else s for s in scripts]
    assert sight(timeline, asking).expected == plain | there


def test_a_pinning_app_is_let_through_on_its_phone_and_expected_nowhere(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-https")
    incident = timeline.incidents[0]
    app = timeline.apps[incident.app]
    seen = sight(timeline, scripts, pin=[app.package])
    own = {s.n for s in scripts if s.uid == app.uid and s.tls}
    assert own
    assert seen.pinning == own
    assert not seen.expected & own
    assert {(s.client, *s.server) for s in scripts if s.n in own} == set(seen.pinned)


def test_tls_carried_for_strangers_is_let_through_and_nothing_else(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-backconnect")
    carried = {s.n for s in scripts if s.protocol == "opaque" and s.tls and s.alpn}
    assert carried
    assert carried < {s.n for s in scripts if s.tls}
    assert sight(timeline, scripts).pinning == carried


def test_a_host_let_through_is_exempt_for_all(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-https")
    web = next(s for s in scripts if s.protocol == "http" and s.name)
    seen = sight(timeline, scripts, passthrough=[web.name])
    assert web.server in seen.interception.exempt
    assert web.n not in seen.expected


def test_unknown_packages_and_hosts_are_named_together(script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-https")
    with pytest.raises(ScenarioError) as caught:
        sight(timeline, scripts, pin=["com.nobody"], passthrough=["no.example"])
    assert len(caught.value.faults) == 2
