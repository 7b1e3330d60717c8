"""Look-ups answered late, for the network is far or lost a datagram, and the connections that wait for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lab.stages.fates import Fate, lost_first
from lab.stages.link import Int64, Links, links_of
from lab.stages.losses import manners_of
from lab.stages.lost_datagrams import Datagram, Manner, left
from lab.stages.segments import Bool
from lab.timeline import NAME_LOOKUP, Conversations, Exchanges, Timeline

_AFTER_US = 500  # from a resolver's answer to the connection it was asked for


def settled(timeline: Timeline, links: Links, transports: list[str]) -> tuple[Timeline, Links]:
    """The timeline and its links after waiting; ``transports`` are those of ``links_of``."""
    if not timeline.network.set():
        return timeline, links
    timeline = awaited(timeline, links)
    return timeline, links_of(timeline, transports)


def awaited(timeline: Timeline, links: Links) -> Timeline:
    """The timeline with conversations that wait for the look-ups of their host's name, where the network makes it late.

    ``links`` are the timeline's. Exchanges keep their times: what cannot be said yet is said when it can. The result is
    sorted by start again, and nothing closes before it begins.
    """
    said, seeks = timeline.conversations, _lookups(timeline, links)
    starts = said.start.copy()
    key, moments = _keys(timeline)
    six = np.array([one.options.get("qtype") == "AAAA" for one in timeline.speeches], dtype=np.bool_)[said.speech]
    for kind in (False, True):
        rows = np.flatnonzero(seeks & (six == kind))
        if len(rows):
            rows = rows[np.argsort(key[rows], kind="stable")]
            last = np.searchsorted(key[rows], key, side="left") - 1
            asked = (last >= 0) & (key[rows][last] // moments == key // moments) & ~seeks
            told = _told(timeline, links, rows) + _AFTER_US
            starts = np.where(asked, np.maximum(starts, told[last]), starts)
    return _begun(timeline, starts)


def _begun(timeline: Timeline, starts: Int64) -> Timeline:
    """The timeline with its conversations begun then: in their new order, with what they say and what carries them."""
    said, x = timeline.conversations, timeline.exchanges
    order = np.argsort(starts, kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    columns = {name: column[order] for name, column in vars(said).items() if name != "tunnel"}
    carrier = said.tunnel[order] if len(said.tunnel) else said.tunnel
    columns["tunnel"] = np.where(carrier < 0, carrier, place[carrier]) if len(carrier) else carrier
    columns |= {"start": starts[order], "close": np.maximum(said.close, starts)[order]}
    words = np.argsort(place[x.conversation], kind="stable")
    spoken = {name: column[words] for name, column in vars(x).items()}
    spoken["conversation"] = place[x.conversation][words]
    return replace(timeline, conversations=Conversations(**columns), exchanges=Exchanges(**spoken))


def _keys(timeline: Timeline) -> tuple[Int64, int]:
    """(n,) keys that ascend by device and name, then by start, and how many keys there are of each such pair.

    Both are numbered as they occur: of the pairs and times that could be, a fleet has more than 64 bits hold.
    """
    _, pair = np.unique(_devices(timeline) * (len(timeline.hosts) + 1) + _names(timeline), return_inverse=True)
    times, moment = np.unique(timeline.conversations.start, return_inverse=True)
    return pair.astype(np.int64) * len(times) + moment, max(len(times), 1)


def _lookups(timeline: Timeline, links: Links) -> Bool:
    said = timeline.conversations
    lookup = np.array([name == NAME_LOOKUP for name in timeline.behaviours], dtype=np.bool_)[said.behaviour]
    found: Bool = lookup & (manners_of(timeline, links.tcp) == Manner.RESOLVED)
    return found


def _told(timeline: Timeline, links: Links, rows: Int64) -> Int64:
    """When each of these look-ups is answered."""
    said, network = timeline.conversations, timeline.network
    first, delay = timeline.exchange_slices()[rows], timeline.exchanges.delay
    told: Int64 = said.start[rows] + links.rtt[rows] + (delay[first] if len(delay) else 0)
    gone = np.zeros(len(rows), dtype=np.bool_)
    for side in (False, True):
        gone |= lost_first(said.seed[rows], np.full(len(rows), side), np.arange(len(rows)), network)
    for place in np.flatnonzero(gone).tolist():
        row = int(rows[place])
        pair = [Datagram(int(said.start[row]), True, 0, 1), Datagram(int(told[place]), False, 0, 1)]
        fate = Fate(int(said.seed[row]), network)
        told[place] = left(Manner.RESOLVED, int(links.rtt[row]), pair, fate, inbound=False)[-1].time
    return told


def _devices(timeline: Timeline) -> Int64:
    return np.array([app.device for app in timeline.apps], dtype=np.int64)[timeline.conversations.app]


def _names(timeline: Timeline) -> Int64:
    """(n,) a number of the name that each conversation's host has, or that is asked for; 0: none."""
    known: dict[str, int] = {"": 0}
    codes = [known.setdefault(host.name, len(known)) for host in timeline.hosts]
    return np.array(codes, dtype=np.int64)[timeline.conversations.host]
