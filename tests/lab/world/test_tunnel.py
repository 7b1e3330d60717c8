"""Every conversation but a neighbour's travels in the tunnel of its phone and network; handshakes come in time."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.world.cast import RESOLVER
from lab.world.tunnel import AHEAD, OWN_PORT, REKEY, VPN_UID


def compiled(**state):
    made = load_scenario(find_scenario("https-poll-5m"))
    return compile_scenario(replace(made, phones=replace(made.phones, **state)), 1)


@pytest.fixture(scope="module", params=["wifi", "roaming"])
def pair(request):
    return compiled(networks=request.param), compiled(networks=request.param, vpn=True)


def test_what_is_said_stays_the_same(pair):
    plain, made = pair
    inside = np.array([app.uid != VPN_UID for app in made.apps])[made.conversations.app]
    for one in fields(plain.conversations):
        if one.name != "tunnel":
            column = getattr(made.conversations, one.name)[inside]
            assert np.array_equal(np.sort(column), np.sort(getattr(plain.conversations, one.name))), one.name
    words = inside[made.exchanges.conversation]
    assert np.array_equal(np.sort(made.exchanges.time[words]), np.sort(plain.exchanges.time))
    assert made.incidents == plain.incidents


def test_every_conversation_is_in_the_tunnel_of_its_phone_and_network(pair):
    _, made = pair
    said, device = made.conversations, np.array([app.device for app in made.apps])[made.conversations.app]
    outer = np.array([app.uid == VPN_UID for app in made.apps])[said.app]
    beyond = np.array([host.address == RESOLVER or host.address.startswith("198.") for host in made.hosts])[said.host]
    inside = said.tunnel >= 0
    assert np.array_equal(inside, beyond & ~outer)
    assert outer[said.tunnel[inside]].all()
    assert np.array_equal(device[said.tunnel[inside]], device[inside])
    assert np.all(said.start[inside] >= said.start[said.tunnel[inside]])
    assert np.all(said.start[inside] <= said.close[said.tunnel[inside]])
    assert set(said.client_port[outer].tolist()) == {OWN_PORT}
    assert outer.sum() == sum(max(1, len(phone.attachments)) for phone in made.devices)
    assert np.all(np.diff(said.start) >= 0)
    assert np.all(np.diff(made.exchanges.conversation) >= 0)


def test_handshakes_come_before_what_needs_them_and_not_too_often(pair):
    _, made = pair
    said, words = made.conversations, made.exchanges
    for row in np.flatnonzero(np.array([app.uid == VPN_UID for app in made.apps])[said.app]).tolist():
        shakes = words.time[words.conversation == row]
        assert shakes[0] == said.start[row]
        assert np.all(np.diff(shakes) >= REKEY - AHEAD)
        inside = np.flatnonzero(said.tunnel == row)
        busy = np.concatenate([said.start[inside], words.time[np.isin(words.conversation, inside)]])
        busy = busy[busy <= said.close[row]]
        last = shakes[np.searchsorted(shakes, busy, side="right") - 1]
        assert np.all((busy - last >= 0) & (busy - last <= REKEY + AHEAD))


def test_without_it_there_is_none():
    made = compiled()
    assert np.all(made.conversations.carrier == -1)
    assert {phone.tunnel for phone in made.devices} == {""}
