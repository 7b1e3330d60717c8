"""Long connections of a phone that changes networks: dialled, broken by time and by every switch, dialled again.

A switch between Wi-Fi and the mobile network changes the phone's address, and no TCP connection outlives it
(RFC 9293: a connection is a pair of addresses and ports).
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64, Window
from lab.clock import interval_of
from lab.longflow import dials

SHORTEST = 10 * SECOND  # connections shorter than that are not worth their handshake here


def connections(rng: np.random.Generator, lifetime_s: float, window: Window, *, pause_s: float = 3.0) -> Int64:
    """(k, 2) begin and end of successive connections: ``dials``, cut where the network changes and dialled again.

    Redialling after a switch takes a log-normal time, median 2 s, sigma 0.8 (an assumption).
    """
    whole = np.array(dials(rng, lifetime_s, window.span, pause_s=pause_s), dtype=np.int64).reshape(-1, 2)
    switches = changes(window)
    owner = interval_of(switches, whole)
    inner = (owner >= 0) & (switches > whole[np.maximum(owner, 0), 0]) if len(whole) else owner >= 0
    cuts, owner = switches[inner], owner[inner]
    again = cuts + (rng.lognormal(np.log(2.0), 0.8, len(cuts)) * SECOND).astype(np.int64)
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
