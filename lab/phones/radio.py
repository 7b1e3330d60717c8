"""A phone between networks: when it is on which one, and what a change does to the conversations it had open.

At a change the phone loses its address, and with it every conversation: nothing more is heard of it, since the network
is gone (Android's netd destroys the sockets of a lost address by SOCK_DESTROY, from memory; the peer learns nothing).
The app hears that there is a network again and dials anew; what it still had to say goes to the new conversation.
This holds for those who connect into the phone too. Neighbours are out of reach on the mobile network. An address
stays the same per phone and network: Android keeps the mobile context alive beside Wi-Fi (from memory).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lab.behaviours import SECOND, Batch, Int64
from lab.habits.reconnect import OUTAGE, redialled

HOUR = 3600 * SECOND
NETWORKS = ("home", "work", "mobile")
LETTERS = {"h": 0, "w": 1, "m": 2}  # of lab.phones.phone's places
MOBILE = NETWORKS.index("mobile")
LATE = 20 * 60 * SECOND  # how much earlier or later than on the hour a phone changes its network, at most
MOBILE_RTT_US = 25_000  # what LTE adds to a round trip over Wi-Fi (of the size of 3GPP TR 36.912; from memory)
LOCAL = ("lan", "group")  # reaches of peers that only the phone's own network has


@dataclass(frozen=True)
class Radio:
    """The phone is on ``network[k]`` (of NETWORKS) from ``since[k]`` until ``since[k + 1]``; ``since[0]`` is 0."""

    since: Int64
    network: Int64
    span: int

    @property
    def matters(self) -> bool:
        """Whether it is ever anywhere but on one Wi-Fi."""
        return len(self.since) > 1 or int(self.network[0]) == MOBILE

    @property
    def switches(self) -> Int64:
        """When it loses a network, and its address, for the next."""
        return self.since[1:]

    @property
    def wifi(self) -> Int64:
        """(k, 2) when it is on an unmetered network."""
        until = np.append(self.since[1:], self.span)
        found: Int64 = np.stack([self.since, until], axis=1)[self.network != MOBILE]
        return found


def steady(network: int, span: int) -> Radio:
    """A phone that never leaves that network."""
    return Radio(np.zeros(1, dtype=np.int64), np.array([network], dtype=np.int64), span)


def travelling(rng: np.random.Generator, places: str, midnight: int, span: int) -> Radio:
    """A phone that follows ``places``, each change up to 20 minutes off the hour.

    They are letters, one for each hour from ``midnight`` on, of a day or a week, again and again.
    """
    hours = np.arange(midnight, span + HOUR, HOUR, dtype=np.int64)
    there = np.array([LETTERS[letter] for letter in places], dtype=np.int64)[np.arange(len(hours)) % len(places)]
    changed = np.flatnonzero(np.diff(there)) + 1
    since = hours[changed] + rng.integers(-LATE, LATE, len(changed))
    passed = since <= 8 * OUTAGE  # as good as before the beginning
    network = there[changed]
    first = network[passed][-1] if passed.any() else there[0]
    kept = ~passed & (since < span - 10 * SECOND)
    return Radio(np.append(0, since[kept]), np.append(first, network[kept]).astype(np.int64), span)


def roamed(rng: np.random.Generator, batch: Batch, radio: Radio) -> Batch:
    """The batch as it happens on that phone: no conversation lasts beyond a change of the network.

    One that a change ends has its ``close`` exactly there. Nothing begins within OUTAGE after a change: what falls in
    the first two OUTAGEs is squeezed into the second, in its order.
    """
    batch = _reachable(batch, radio)
    switches = radio.switches
    if not len(switches) or not len(batch.start):
        return batch
    start, close, x_time = (_squeezed(times, switches) for times in (batch.start, batch.close, batch.x_time))
    x_on = np.searchsorted(switches, x_time, side="right")
    # pieces: (conversation, attachment) with exchanges in it, and every conversation's own beginning
    on = np.searchsorted(switches, start, side="right")
    width = len(switches) + 1
    mine, x_piece = np.unique(
        np.concatenate([np.arange(len(start)) * width + on, batch.x_conversation * width + x_on]), return_inverse=True
    )
    of, during = np.divmod(mine, width)
    again = during != on[of]
    begin = start[of]
    begin[again] = redialled(rng, switches[during[again] - 1] + OUTAGE, x_piece[len(start) :], x_time, again)
    until = np.append(switches, np.iinfo(np.int64).max)[during]
    return replace(
        batch,
        start=begin,
        close=np.minimum(close[of], until),
        speech=batch.speech[of],
        peer=batch.peer[of],
        inbound=batch.inbound[of],
        stack=batch.stack[of],
        x_conversation=x_piece[len(start) :].astype(np.int64),
        x_time=x_time,
    )


def _squeezed(times: Int64, switches: Int64) -> Int64:
    last = np.append(-4 * OUTAGE, switches)[np.searchsorted(switches, times, side="right")]
    since = times - last
    squeezed: Int64 = np.where(since < 2 * OUTAGE, last + OUTAGE + since // 2, times)
    return squeezed


def _reachable(batch: Batch, radio: Radio) -> Batch:
    """The batch without conversations with neighbours while the phone is not on a network that has any."""
    local = np.array([peer.reach in LOCAL for peer in batch.peers], dtype=np.bool_)
    if not local.any() or not len(batch.start):
        return batch
    on = np.searchsorted(radio.since, batch.start, side="right") - 1
    kept = ~(local[batch.peer] & (radio.network[np.maximum(on, 0)] == MOBILE))
    return batch if kept.all() else batch.only(kept)
