"""Agents in a compiled scenario: names in ClientHello, Host and questions are those of the hosts they are meant for."""

from __future__ import annotations

import pytest

from lab.scenario import compile_scenario, load_scenario

HEAD = """
question = "Does the agent say the names it should?"
span = "8h"
devices = 2
start = 2026-03-02T09:00:00Z
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
label = "AN1793"
"""
EXPECT = """
[[expect]]
behaviour = "{kind}"
contacts = {{ at_least = 1 }}
"""


@pytest.fixture
def compiled(tmp_path):
    def compile_(kind, **settings):
        lines = [f'{name} = "{value}"' for name, value in {"kind": kind, **settings}.items()]
        path = tmp_path / "one-agent.toml"
        path.write_text(HEAD + "\n".join(lines) + EXPECT.format(kind=kind))
        return compile_scenario(load_scenario(path), 1)

    return compile_


def said(timeline):
    """(speech, host) of every conversation of the agent, without those of netd."""
    rows = zip(timeline.conversations.app, timeline.conversations.speech, timeline.conversations.host, strict=True)
    return [
        (timeline.speeches[speech], timeline.hosts[host])
        for app, speech, host in rows
        if timeline.apps[app].uid > 9_999
    ]


def looked_up(timeline):
    rows = zip(timeline.conversations.app, timeline.conversations.host, strict=True)
    return {timeline.hosts[host].name for app, host in rows if timeline.apps[app].package == "netd"}


def test_a_fronted_agent_connects_to_the_popular_host_and_names_its_own(compiled):
    timeline = compiled("http-poll", front="cdn")
    found = said(timeline)
    hidden = {speech.options["host"] for speech, _ in found}
    shown = {host.name for _, host in found}
    assert len(hidden) == 1, "the vendor's host is the same on all devices"
    assert hidden.isdisjoint(shown)
    assert shown <= looked_up(timeline)
    assert hidden.isdisjoint(looked_up(timeline))


def test_a_foreign_name_belongs_to_another_host_and_is_not_looked_up(compiled):
    timeline = compiled("http-poll", reach="literal", naming="foreign")
    for speech, host in said(timeline):
        assert host.name == ""
        assert speech.options["sni"].rpartition(".")[2] in {"example", "test"}
        assert speech.options["sni"] not in looked_up(timeline)


def test_domains_of_a_contact_are_new_every_time_and_looked_up(compiled):
    timeline = compiled("http-poll", dga="contact", period="10m")
    names = [host.name for _, host in said(timeline)]
    assert len(set(names)) == len(names) > 80
    assert set(names) <= looked_up(timeline)


@pytest.mark.parametrize("carrier", ["dot", "doh"])
def test_a_public_resolver_is_asked_about_a_zone_nobody_looks_up(compiled, carrier):
    timeline = compiled("dns-poll", carrier=carrier)
    zones = {speech.options["zone"] for speech, _ in said(timeline)}
    assert len(zones) == 1
    assert {host.name for _, host in said(timeline)} <= looked_up(timeline)
    assert zones.isdisjoint(looked_up(timeline))


def test_the_devices_own_resolver_is_asked_over_tcp_without_a_look_up(compiled):
    timeline = compiled("dns-poll", carrier="dns-tcp")
    assert len({host.address for _, host in said(timeline)}) == 1
    assert looked_up(timeline) == set()
