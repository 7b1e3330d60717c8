"""Handshakes of TLS in time: a client goes on behind its Finished, or behind the server's last words."""

import pytest

from lab.behaviours import Speech
from lab.protocols.handshakes import shapes
from lab.stages.flows.parts import PARTED, SHAKING

MODERN = next(stack for stack, shape in enumerate(shapes()) if shape.modern and not shape.permutes)
OLD = next(stack for stack, shape in enumerate(shapes()) if not shape.modern)


@pytest.mark.parametrize(("stack", "trips"), [(MODERN, 2), (OLD, 3)])
def test_the_first_request_comes_behind_the_handshake(stack, trips, timeline_of, talk, scene_from):
    timeline = timeline_of([talk([(0, 300, 300, 0)], speech=Speech("http", tls=True), stack=stack)])
    found = scene_from(timeline)
    turns = found.said.turns
    first = turns.begin[turns.exchange >= 0].min() - timeline.conversations.start[0]
    assert trips * 31_000 < first < (trips + 1) * 31_000
    assert (turns.exchange == SHAKING).sum() == 4
    assert turns.exchange[-1] == PARTED


def test_without_tls_nobody_shakes(timeline_of, talk, scene_from):
    turns = scene_from(timeline_of([talk([(0, 3, 3, 0)])])).said.turns
    assert set(turns.exchange.tolist()) == {0}


@pytest.mark.parametrize("carried", [True, False])
def test_a_carried_finished_leaves_with_the_first_request(carried, timeline_of, talk, scene_from):
    speech = Speech("opaque", tls=True, options={"carried": "1"} if carried else {})
    turns = scene_from(timeline_of([talk([(900_000, 300, 300, 0)], speech=speech, stack=MODERN)])).said.turns
    asked = turns.begin[turns.exchange >= 0].min()
    finished = turns.begin[(turns.exchange == SHAKING) & turns.client].max()
    assert bool(asked - finished < 5_000) is carried
