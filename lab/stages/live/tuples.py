"""Which conversation a 5-tuple seen at some moment belongs to, and what its time is on the scenario's clock.

The one law by which packets, sockets and requests are joined: (protocol, both ends) and real time. Ports are used
again, so the nearest in time counts, and none that is further than SLACK_US.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

import numpy as np

from lab.stages.link import Int64
from lab.stages.live.pace import Course, Tempo
from lab.stages.live.script import Played, Script

#: Linux keeps a closed 4-tuple in TIME_WAIT for 60 s (TCP_TIMEWAIT_LEN): what comes of it until then is its own.
SLACK_US = 60_000_000
TCP, UDP = 6, 17
PROTOCOLS = {"tcp": TCP, "udp": UDP}
_TIME_BITS = 43  # of microseconds: 101 days
_LATEST = (1 << _TIME_BITS) - 1
_FAR = np.iinfo(np.int64).max


@dataclass(frozen=True)
class FlowIndex:
    """The conversations that had a socket, by (protocol, both ends) and time; made by ``index_flows``."""

    tempo: Tempo
    courses: Mapping[int, Course]
    count: int  # of all conversations of the timeline
    client: Int64  # (count,) endpoint of each conversation's client, -1 where it had no socket
    _ends: Int64  # all endpoints, ascending
    _pairs: Int64  # all 5-tuples, ascending
    _keys: Int64  # (m,) place in _pairs and time of opening, ascending
    _opened: Int64  # (m,) wall clock
    _closed: Int64
    _n: Int64  # (m,)

    def find(self, proto: Int64, one: Int64, other: Int64, wall_us: Int64) -> Int64:
        """The conversation of each 5-tuple, its ends in either order (see ``endpoints``), at these times; -1: none."""
        found = np.full(len(proto), -1, dtype=np.int64)
        if not len(self._n):
            return found
        group = self._group(proto, one, other)
        known = np.flatnonzero(group >= 0)
        group, wall = group[known], wall_us[known]
        place = np.searchsorted(self._keys, self._key(group, wall), side="right") - 1
        before, after = np.maximum(place, 0), np.minimum(place + 1, len(self._n) - 1)
        past = self._distance(before, wall)
        past[(place < 0) | (self._keys[before] >> _TIME_BITS != group)] = _FAR
        ahead = self._distance(after, wall)
        ahead[(place + 1 >= len(self._n)) | (self._keys[after] >> _TIME_BITS != group)] = _FAR
        nearest = np.where(past <= ahead, before, after)
        found[known] = np.where(np.minimum(past, ahead) <= SLACK_US, self._n[nearest], -1)
        return found

    def scenario_time(self, n: Int64, wall_us: Int64) -> Int64:
        """The scenario time of what was seen of these conversations at these times; -1: on the plain clock."""
        mapped = self.tempo.scenario_time(wall_us)
        mine = np.flatnonzero(n >= 0)
        mine = mine[np.argsort(n[mine], kind="stable")]
        cuts = np.flatnonzero(np.diff(n[mine])) + 1
        for part in np.split(mine, cuts) if len(mine) else []:
            mapped[part] = self.courses[int(n[part[0]])].scenario_time(wall_us[part] - self.tempo.epoch_us)
        return mapped

    def _distance(self, row: Int64, wall_us: Int64) -> Int64:
        """How far these times are from the rows' sockets, 0 within: keys end at SLACK_US before the run, times not."""
        far: Int64 = np.maximum(wall_us - self._closed[row], self._opened[row] - wall_us)
        return np.maximum(far, 0)

    def _group(self, proto: Int64, one: Int64, other: Int64) -> Int64:
        """The place in _pairs of each 5-tuple, -1 if it is not there."""
        first, second = (_place(self._ends, end) for end in (one, other))
        known = (first >= 0) & (second >= 0)
        return np.where(known, _place(self._pairs, _pair(proto, first, second)), -1)

    def _key(self, group: Int64, wall_us: Int64) -> Int64:
        since = np.clip(wall_us - self.tempo.epoch_us + SLACK_US, 0, _LATEST)
        key: Int64 = (group << _TIME_BITS) | since
        return key


def index_flows(
    scripts: Sequence[Script], played: Sequence[Played], courses: Mapping[int, Course], tempo: Tempo
) -> FlowIndex:
    """The index of a run; ``scripts`` are those of all conversations. Those without a client's socket are not in it."""
    transport = {script.n: PROTOCOLS[script.transport] for script in scripts}
    had = [one for one in played if one.client is not None]
    n = np.array([one.n for one in had], dtype=np.int64)
    client = endpoints([one.client for one in had])
    server = endpoints([one.server for one in had])
    ends = np.unique(np.concatenate([client, server]))
    proto = np.array([transport[one.n] for one in had], dtype=np.int64)
    pair = _pair(proto, np.searchsorted(ends, client), np.searchsorted(ends, server))
    pairs, group = np.unique(pair, return_inverse=True)
    opened = np.array([one.opened_us for one in had], dtype=np.int64)
    closed = np.maximum(np.array([one.closed_us for one in had], dtype=np.int64), opened)
    own = np.full(len(scripts), -1, dtype=np.int64)
    own[n] = client
    keys = (group.astype(np.int64) << _TIME_BITS) | np.clip(opened - tempo.epoch_us + SLACK_US, 0, _LATEST)
    order = np.argsort(keys, kind="stable")
    rows = (column[order] for column in (keys, opened, closed, n))
    return FlowIndex(tempo, courses, len(scripts), own, ends, pairs, *rows)


def endpoints(places: Sequence[tuple[str | None, int | None] | None]) -> Int64:
    """IPv4 addresses and ports as numbers, address in the upper bits; -1 for anything else."""
    return np.array([_endpoint(place) for place in places], dtype=np.int64)


def _endpoint(place: tuple[str | None, int | None] | None) -> int:
    if place is None or place[0] is None or place[1] is None:
        return -1
    try:
        return int(IPv4Address(place[0])) << 16 | place[1]
    except AddressValueError:
        return -1


def _pair(proto: Int64, first: Int64, second: Int64) -> Int64:
    """A number for two ends, whichever comes first, under a protocol; -1 for one that is neither TCP nor UDP."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    number: Int64 = ((proto == UDP).astype(np.int64) << 62) | (low << 31) | high
    return np.where((proto == TCP) | (proto == UDP), number, -1)


def _place(known: Int64, wanted: Int64) -> Int64:
    """Where each is in an ascending array, -1 if it is not."""
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    return np.where(known[place] == wanted, place, -1) if len(known) else np.full(len(wanted), -1, dtype=np.int64)
