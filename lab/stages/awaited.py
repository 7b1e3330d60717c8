"""Look-ups that are answered late, as a datagram was lost, and the connections that wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lab.stages.fates import Fate, lost_first
from lab.stages.link import Int64, Links
from lab.stages.losses import manners_of
from lab.stages.lost_datagrams import Datagram, Manner, left
from lab.timeline import NAME_LOOKUP, Timeline

_AFTER_US = 500  # from a resolver's answer to the connection it was asked for


def awaited(timeline: Timeline, links: Links) -> Timeline:
    """The timeline with conversations that wait for the look-up of their host's name, where that is answered late.

    ``links`` are the timeline's. Exchanges keep their times: what cannot be said yet is said when it can.
    """
    said = timeline.conversations
    starts = said.start.copy()
    devices, names = _devices(timeline), _names(timeline)
    for device, name, asked, told in _late(timeline, links):
        mine = np.flatnonzero((device == devices) & (name == names))
        waits = mine[(said.start[mine] > asked) & (said.start[mine] < told)]
        starts[waits] = told + _AFTER_US
    return replace(timeline, conversations=replace(said, start=starts))


def _late(timeline: Timeline, links: Links) -> Iterator[tuple[int, int, int, int]]:
    """Device, name, time of the question and of the answer of each look-up that is asked more than once."""
    said, network = timeline.conversations, timeline.network
    lookup = np.array([name == NAME_LOOKUP for name in timeline.behaviours], dtype=np.bool_)[said.behaviour]
    rows = np.flatnonzero(lookup & (manners_of(timeline, links.tcp) == Manner.RESOLVED))
    gone = np.zeros(len(rows), dtype=np.bool_)
    for side in (False, True):
        gone |= lost_first(said.seed[rows], np.full(len(rows), side), np.arange(len(rows)), network)
    device, name = _devices(timeline), _names(timeline)
    for row in rows[gone].tolist():
        asked, fate = int(said.start[row]), Fate(int(said.seed[row]), network)
        pair = [Datagram(asked, True, 0, 1), Datagram(int(said.close[row]), False, 0, 1)]
        told = left(Manner.RESOLVED, int(links.rtt[row]), pair, fate, inbound=False)[-1]
        yield int(device[row]), int(name[row]), asked, told.time


def _devices(timeline: Timeline) -> Int64:
    return np.array([app.device for app in timeline.apps], dtype=np.int64)[timeline.conversations.app]


def _names(timeline: Timeline) -> Int64:
    """(n,) a number of the name that each conversation's host has, or that is asked for; 0: none."""
    known: dict[str, int] = {"": 0}
    codes = [known.setdefault(host.name, len(known)) for host in timeline.hosts]
    return np.array(codes, dtype=np.int64)[timeline.conversations.host]
