"""What networks leave to be seen."""

import dataclasses

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.stages.dialogues import formats_of
from lab.stages.enveloped import Envelopes
from lab.stages.flows.lanes import Lanes, lanes_of
from lab.stages.flows.limits import _sealed, lone, seen
from lab.stages.flows.pieces import cut
from lab.stages.link import links_of
from lab.stages.segments import Packets
from lab.timeline import Device


def test_nothing_passes_after_a_change_of_network(timeline_of, talk, scene_from):
    found = scene_from(timeline_of([talk([(0, 400, 2_000_000, 9_000), (60_000_000, 90, 80, 0)], linger=10**6)]))
    start = int(found.scene.start[0])
    scene = dataclasses.replace(found.scene, until=np.array([start + 200_000]))
    made = seen(scene, found.said, np.array([True]))
    assert made.turns.end.max() < start + 200_000
    assert 0 < made.turns.size.sum() < 2_000_000
    assert (made.parts.tolist(), made.reset.tolist()) == ([False], [True])
    pieces, _ = cut(scene, made, (found.sides.client_port, found.sides.server_port))
    assert pieces.end.tolist() == [start + 200_000]


def test_of_a_tunnel_its_datagrams_are_seen(timeline_of, talk, scene_from):
    vpn = talk([(0, 148, 92, 0)], start=0, linger=10**9, speech=Speech("datagram", port=51820))
    inner = talk([(0, 300, 3_000, 5_000)], start=10**6)
    timeline = timeline_of([vpn, inner])
    devices = (dataclasses.replace(timeline.devices[0], tunnel="10.88.77.1"), timeline.devices[1])
    assert isinstance(devices[0], Device)
    tunnel = np.array([-1, 0], dtype=np.int32)
    said = dataclasses.replace(timeline.conversations, tunnel=tunnel)
    found = scene_from(dataclasses.replace(timeline, devices=devices, conversations=said))
    assert found.pieces.conversation.tolist() == [0]
    turns = found.seen.turns
    assert set(turns.conversation.tolist()) == {0}
    assert ((turns.size - 32) % 4 == 0)[1:].all()
    assert found.pieces.bytes_down[0] > 3_000 + 3 * 72
    assert found.seen.hidden.tolist() == [False, True]


@pytest.mark.parametrize(("mtu", "header"), [(1_500, 20), (1_500, 40), (1_400, 20), (1_280, 40)])
def test_a_tunnel_seals_as_on_the_wire(mtu, header):
    """What Envelopes makes of the same packets, of IPv4 and of IPv6, for another MTU."""
    length = np.array([0, 1, 555, mtu - 80 - header - 20, mtu], dtype=np.int64)
    none = np.zeros(len(length), dtype=np.int64)
    packets = Packets(none, none, none == 0, none, none, length, none, none, none)
    envelopes, yes = Envelopes(mtu=mtu - 80), np.ones(1, dtype=np.bool_)
    envelopes.add(packets, np.zeros(1, dtype=np.int64), yes, yes & (header == 40))
    lanes = Lanes(*[none] * 7, none + header, none + mtu - 80)
    assert _sealed(length, none + 20, lanes).tolist() == envelopes._parts[0][-1].tolist()


@pytest.mark.parametrize(("mtu", "six"), [(1_500, False), (1_400, False), (1_400, True)])
def test_lanes_know_the_network(mtu, six, tiny):
    timeline = dataclasses.replace(tiny, network=dataclasses.replace(tiny.network, mtu=mtu))
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    if six:
        links = dataclasses.replace(links, book=("2001:db8::1",), remote=np.zeros_like(links.remote))
    lanes = lanes_of(links, np.arange(2))
    assert (lanes.header.tolist(), lanes.room.tolist()) == ([40 if six else 20] * 2, [mtu - 80] * 2)


@pytest.mark.parametrize(("delay", "alone"), [(200_000, True), (5_000, False)])
def test_who_is_answered_soon_is_not_acknowledged_apart(delay, alone, timeline_of, talk, scene_from):
    found = scene_from(timeline_of([talk([(0, 100, 100, delay)])]))
    assert lone(found.scene, found.said.turns)[0] == alone
