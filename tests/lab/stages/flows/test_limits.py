"""What networks leave to be seen."""

import dataclasses

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.stages.flows.limits import lone, seen
from lab.stages.flows.pieces import cut
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


@pytest.mark.parametrize(("delay", "alone"), [(200_000, True), (5_000, False)])
def test_who_is_answered_soon_is_not_acknowledged_apart(delay, alone, timeline_of, talk, scene_from):
    found = scene_from(timeline_of([talk([(0, 100, 100, delay)])]))
    assert lone(found.scene, found.said.turns)[0] == alone
