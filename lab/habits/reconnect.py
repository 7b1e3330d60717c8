"""Long connections of a phone that changes networks and dozes: dialled, broken, and dialled again.

A switch between Wi-Fi and the mobile network changes the phone's address, and no TCP connection outlives it
(RFC 9293: a connection is a pair of addresses and ports). How long it takes to be there again is one law for all apps,
for those that know of the switch and cut their connections here, and for those that lab/phones/radio.py cuts. Doze ends
the connections of all that are not exempt, honest or not: lab/habits/firewall.py.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Bool, Int64, Window
from lab.habits.clock import interval_of
from lab.habits.gates import awake
from lab.habits.longflow import dials, dials_during

SHORTEST = 10 * SECOND  # connections shorter than that are not worth their handshake here
OUTAGE = 3 * SECOND // 2  # until the new network carries traffic; longer than any look-up (lab.world.assembly)
APART = 30_000  # microseconds between two dials of one behaviour then
REDIAL_S, REDIAL_SIGMA = 1.5, 0.7  # log-normal, what an app takes to notice and dial again (an assumption)


def connections(rng: np.random.Generator, lifetime_s: float, window: Window, open_: Int64 | None = None) -> Int64:
    """(k, 2) begin and end of successive connections, within the openings of the app's gate; a switch cuts them, too.

    Without a gate they live whenever the app has the network, that is outside Doze unless it is exempt.
    """
    open_ = awake(window) if open_ is None else open_
    always = len(open_) == 1 and open_[0].tolist() == [0, window.span]
    found = dials(rng, lifetime_s, window.span) if always else dials_during(rng, lifetime_s, open_)
    return severed(rng, np.array(found, dtype=np.int64), window)


def noticed(rng: np.random.Generator, count: int) -> Int64:
    """(count,) how long after the outage of a switch an app dials again, 0.1 to 30 s."""
    pause = rng.lognormal(np.log(REDIAL_S), REDIAL_SIGMA, count).clip(0.1, 30.0) * SECOND
    return pause.astype(np.int64)


def redialled(rng: np.random.Generator, opened: Int64, piece: Int64, x_time: Int64, again: Bool) -> Int64:
    """When those pieces of conversations (n,) that are ``again`` are dialled: ``noticed`` after the network is there.

    ``opened`` (k,) is when it is, for each of them; ``piece`` (m,) and ``x_time`` say which exchanges each piece has.
    One is dialled after the other, and none later than it has something to say.
    """
    first = np.full(len(again), np.iinfo(np.int64).max)
    np.minimum.at(first, piece, x_time)
    known, of = np.unique(opened, return_inverse=True)
    pause = noticed(rng, len(known))
    order = np.argsort(of, kind="stable")
    turn = np.empty(len(of), dtype=np.int64)
    turn[order] = np.arange(len(of)) - np.searchsorted(of[order], of[order])
    found: Int64 = np.minimum(opened + pause[of] + APART * turn, first[again])
    return found


def severed(rng: np.random.Generator, whole: Int64, window: Window) -> Int64:
    """(k, 2) connections, ascending, cut where the network changes: dialled again ``noticed`` after the outage.

    Times are those before lab.phones.radio.roamed, which squeezes what falls into two outages into the second.
    """
    whole = whole.reshape(-1, 2)
    switches = changes(window)
    owner = interval_of(switches, whole)
    inner = (owner >= 0) & (switches > whole[np.maximum(owner, 0), 0]) if len(whole) else owner >= 0
    cuts, owner = switches[inner], owner[inner]
    pause = noticed(rng, len(cuts))
    again = cuts + np.where(pause < OUTAGE, 2 * pause, OUTAGE + pause)
    begins, places = np.concatenate([whole[:, 0], again]), np.concatenate([np.arange(len(whole)), owner])
    cut = np.concatenate([cuts, [window.span]])
    nth = np.concatenate([np.searchsorted(cuts, whole[:, 0], side="right"), np.arange(len(cuts)) + 1])
    found = np.stack([begins, np.minimum(whole[places, 1], cut[nth])], axis=1).astype(np.int64)
    found = found[found[:, 1] - found[:, 0] > SHORTEST]
    order = np.argsort(found[:, 0], kind="stable")
    return found[order]


def changes(window: Window) -> Int64:
    """When the phone joins or leaves Wi-Fi, ascending, the span's own edges left out."""
    edges = np.unique(window.wifi.ravel())
    inner: Int64 = edges[(edges > 0) & (edges < window.span)]
    return inner
