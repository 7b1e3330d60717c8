"""Doze's firewall: what it leaves of whatever an app had in mind, whoever the app is and whatever it is for.

AOSP, from memory: in light and in deep Doze NetworkPolicyManagerService has netd drop, both ways, every packet of an
app's uid that is not on the list of those exempt from battery optimisation (FIREWALL_CHAIN_DOZABLE, an allow-list; a
foreground service alone is not on it), and destroys its TCP sockets as the chain is turned on
(closeSocketsForFirewallChainLocked). Maintenance windows turn it off. uids below 10 000 are the system's and pass. A
high-priority message of the push service (not modelled), and an alarm that may fire while idle
(setAndAllowWhileIdle), put the app on the list for about 10 s. Here that serves the behaviour whose alarm it is, not
what else the app does. A connection is closed in the last moment before Doze: how much of that is still heard is an
assumption.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window
from lab.habits.clock import gaps, inside, merged
from lab.habits.reconnect import redialled

LAST = SECOND // 2  # before Doze: when a connection is closed
LISTED = 10 * SECOND  # how long the network is open behind an alarm in Doze; from memory


def walled(batch: Batch, window: Window, rng: Callable[[], np.random.Generator]) -> Batch:
    """The batch without what falls into the app's Doze: its exchanges, answers and the conversations opened for them.

    A conversation that outlasts Doze is closed at its beginning and dialled again when it has ended, at the latest when
    there is something to say. Those who dial in during Doze get no answer and give up. ``rng`` is asked only if one is
    dialled again.
    """
    barred = merged(window.barred)
    if not len(barred) or not len(batch.start):
        return batch
    begins = np.append(barred[:, 0], np.iinfo(np.int64).max)
    batch = _heard(batch, barred, begins)
    on = np.searchsorted(begins, batch.start, side="right")
    x_on = np.searchsorted(begins, batch.x_time, side="right")
    width = len(begins) + 1
    mine, piece = np.unique(batch.x_conversation * width + x_on, return_inverse=True)
    of, during = np.divmod(mine, width)
    begin, last = batch.start[of], begins[during]
    again = (during != on[of]) | inside(begin, barred)
    if again.any():
        begin[again] = redialled(rng(), barred[during[again] - 1, 1], piece, batch.x_time, again)
    ends = np.zeros(len(mine), dtype=np.int64)
    np.maximum.at(ends, piece, batch.x_time + batch.x_delay)
    close = batch.close[of]
    close = np.where(close >= last, np.maximum(last - LAST, np.maximum(begin, ends)), close)
    heads = {name: getattr(batch, name)[of] for name in ("speech", "peer", "inbound", "stack")}
    return replace(batch, start=begin, close=close, x_conversation=piece.astype(np.int64), **heads)


def woken(batch: Batch, window: Window, ration_us: int) -> Window:
    """The window in which alarms open Doze, each for LISTED: whatever the batch wants, the ration behind the last one.

    What comes in between, as tries after a failed run, is no alarm's.
    """
    dozing = merged(window.barred)
    wanted = np.sort(np.concatenate([batch.start, batch.x_time[batch.x_up > 0]]))
    wanted = wanted[inside(wanted, dozing)]
    fired, at = [], 0
    while at < len(wanted):
        fired.append(int(wanted[at]))
        at = int(np.searchsorted(wanted, fired[-1] + max(ration_us, LISTED)))
    if not fired:
        return window
    begin = np.array(fired, dtype=np.int64)
    listed = np.stack([begin, np.minimum(begin + LISTED, window.span)], axis=1)
    open_ = merged(np.concatenate([gaps(dozing, window.span), listed]))
    return replace(window, doze=gaps(open_, window.span))


def _heard(batch: Batch, barred: Int64, begins: Int64) -> Batch:
    """The batch with the exchanges that begin outside Doze; an answer that would come in it does not."""
    unanswered = inside(batch.start, barred) & batch.inbound
    kept = ~inside(batch.x_time, barred) & ~unanswered[batch.x_conversation]
    until = begins[np.searchsorted(begins, batch.x_time, side="right")]
    late = batch.x_time + batch.x_delay >= until
    kept &= ~late | (batch.x_up > 0)
    down, delay = np.where(late, 0, batch.x_down)[kept], np.where(late, 0, batch.x_delay)[kept]
    words = {name: getattr(batch, name)[kept] for name in ("x_conversation", "x_time", "x_up")}
    return replace(batch, x_down=down, x_delay=delay, **words)
