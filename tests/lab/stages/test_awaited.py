"""Connections wait for a look-up that is answered late, and for no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.behaviours import Speech
from lab.network import Network
from lab.stages.awaited import awaited
from lab.stages.dialogues import formats_of
from lab.stages.link import links_of
from lab.stages.lost_datagrams import RESOLVER_US
from lab.timeline import NAME_LOOKUP

SECOND = 1_000_000


def moved(timeline_of, talk, network: Network):
    """How far each conversation is moved: 60 look-ups, each with its connection, and a stranger's."""
    talks = []
    for n in range(60):
        begin = n * 40 * SECOND
        talks.append(talk([(0, 0, 0, 9_000)], start=begin, app=0, host=0, speech=Speech("dns", port=53)))
        talks.append(talk([(0, 300, 900, 5_000)], start=begin + 60_000, speech=Speech("http", port=80)))
        talks.append(talk([(0, 300, 900, 5_000)], start=begin + 60_001, host=3, speech=Speech("http", port=80)))
    timeline = timeline_of(talks)
    said = timeline.conversations
    behaviour = np.where(np.arange(len(talks)) % 3 == 0, 2, 1).astype(np.int32)
    timeline = replace(
        timeline,
        behaviours=(*timeline.behaviours, NAME_LOOKUP),
        conversations=replace(said, behaviour=behaviour),
        network=network,
    )
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    return waits(awaited(timeline, links), timeline).reshape(-1, 3)


def waits(after, before):
    """How far each conversation is moved, in the order of before."""
    order = np.argsort(after.conversations.seed)
    assert np.array_equal(after.conversations.seed[order], before.conversations.seed)
    return after.conversations.start[order] - before.conversations.start


def test_a_connection_waits_for_its_name(timeline_of, talk):
    late = moved(timeline_of, talk, Network(loss=0.1))
    assert not late[:, 0].any()
    assert not late[:, 2].any()
    waited = late[:, 1][late[:, 1] > 0]
    assert 4 <= len(waited) <= 24  # of 60; 19 in a hundred tries fail
    again = np.round(waited / RESOLVER_US)
    assert waited.tolist() == pytest.approx((again * RESOLVER_US).tolist(), abs=100_000)
    assert again.min() == 1


def test_nobody_waits_without_loss(timeline_of, talk):
    assert not moved(timeline_of, talk, Network()).any()


def test_a_far_resolver_is_waited_for(timeline_of, talk):
    late = moved(timeline_of, talk, Network(rtt_us=100_000))
    assert not late[:, [0, 2]].any()
    assert (late[:, 1] > 70_000).all()


def test_nobody_waits_for_a_strangers_look_up_in_a_fleet_either(timeline_of, talk):
    """1,024 phones times 4,096 names are 2^22 pairs: shifted beside the time, the last fell on the first."""
    asked = talk([(0, 0, 0, 9_000)], app=0, host=0, speech=Speech("dns", port=53))
    own, strange = (
        talk([(0, 300, 900, 5_000)], start=60_000, app=app, speech=Speech("http", port=80)) for app in (1, 2)
    )
    timeline = timeline_of([asked, own, strange])
    kinds = np.array([2, 1, 1], dtype=np.int32)
    timeline = replace(
        timeline,
        behaviours=(*timeline.behaviours, NAME_LOOKUP),
        conversations=replace(timeline.conversations, behaviour=kinds),
        network=Network(rtt_us=100_000),
    )
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    fleet = replace(
        timeline,
        devices=timeline.devices * 513,
        apps=(*timeline.apps[:2], replace(timeline.apps[2], device=1024)),
        hosts=(*timeline.hosts, *(replace(timeline.hosts[0], name=f"h{n}.test") for n in range(4_091))),
    )
    late = waits(awaited(fleet, links), fleet)
    assert late[1] > 70_000
    assert late[2] == 0


def test_those_who_waited_stand_where_they_begin_with_their_words_and_never_close_before(timeline_of, talk):
    asked = talk([(0, 0, 0, 9_000)], app=0, host=0, speech=Speech("dns", port=53))
    short = talk([(0, 301, 901, 5)], start=60_000, linger=1, speech=Speech("http", port=80))
    other = talk([(0, 302, 902, 5)], start=60_001, host=3, speech=Speech("http", port=80))
    timeline = timeline_of([asked, short, other])
    said = replace(
        timeline.conversations,
        behaviour=np.array([2, 1, 1], dtype=np.int32),
        tunnel=np.array([-1, 2, -1], dtype=np.int32),
    )
    timeline = replace(
        timeline, behaviours=(*timeline.behaviours, NAME_LOOKUP), conversations=said, network=Network(rtt_us=200_000)
    )
    links = links_of(timeline, [found.TRANSPORT for found in formats_of(timeline)])
    after = awaited(timeline, links)
    assert after.conversations.seed.tolist() == said.seed[[0, 2, 1]].tolist()
    assert (np.diff(after.conversations.start) >= 0).all()
    assert (after.conversations.close >= after.conversations.start).all()
    assert after.conversations.tunnel.tolist() == [-1, -1, 1], "carried by the same one, wherever that stands now"
    assert after.exchanges.conversation.tolist() == [0, 1, 2]
    assert after.exchanges.up.tolist() == [0, 302, 301]
    assert after.conversations.close.dtype == said.close.dtype
    assert after.conversations.tunnel.dtype == said.tunnel.dtype
