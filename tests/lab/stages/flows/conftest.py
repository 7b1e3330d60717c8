"""One scene of the tiny timeline, and what the wire stage says of the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.stages.dialogues import formats_of, slices
from lab.stages.flows.limits import seen
from lab.stages.flows.pieces import cut
from lab.stages.flows.scenes import _scene, _scenes
from lab.stages.flows.tables import Sides
from lab.stages.flows.turns import spoken
from lab.stages.flows.ways import ways_of
from lab.stages.link import links_of


def scene_of(timeline):
    """Everything of a timeline up to its flows."""
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    ways, sides = ways_of(timeline), Sides.of(links)
    (rows, x_rows), *more = _scenes(timeline)
    assert not more
    scene = _scene(timeline, links, ways, rows, x_rows)
    said = spoken(scene)
    whole = seen(scene, said, links.lingers)
    pieces, piece = cut(scene, whole, (sides.client_port, sides.server_port))
    return SimpleNamespace(
        timeline=timeline,
        links=links,
        ways=ways,
        sides=sides,
        scene=scene,
        said=said,
        seen=whole,
        pieces=pieces,
        piece=piece,
        x_rows=x_rows,
    )


def wire_messages(timeline):
    """(conversation, start, by client, bytes) of every message of the wire stage."""
    formats = formats_of(timeline)
    links = links_of(timeline, [found.TRANSPORT for found in formats])
    for part in slices(timeline, links, formats):
        m = part.messages
        for of, start, local, length in zip(m.conversation, m.start, m.local, m.length, strict=True):
            row = part.first + int(of)
            yield row, int(start), bool(local) != bool(timeline.conversations.inbound[row]), int(length)


@pytest.fixture
def scene_from():
    return scene_of


@pytest.fixture
def scene(tiny):
    return scene_of(tiny)


@pytest.fixture
def messages():
    return wire_messages
