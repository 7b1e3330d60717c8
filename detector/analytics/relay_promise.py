"""Which ways are in step with anything at all: one look at each burst, before chance and correlation are measured.

Law: a pair is dropped only if in no hour, and not over all its time either, a fifth of the bursts beside it is in step.
Pairs are taken so many at a time that memory is bounded, whatever the telemetry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import Pieces, Spoken
from detector.analytics.relay_flows import Bool, RelayFlows, distinct
from detector.analytics.relay_matching import Way, bursts_of, in_step
from detector.analytics.relay_pairs import Pairs, own_pair
from detector.columns import stable_order

AT_ONCE = 1_000_000  # bursts, each under each pair of its app
LEAST_SHARE = 0.2
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Talk:
    """All that was said, and when: ``said`` by app, ``bits`` in no order."""

    flows: RelayFlows
    said: Spoken
    bits: Pieces
    span: tuple[int, int]


def promising(pairs: Pairs, talk: Talk, fewest: int) -> Pairs:
    """The pairs whose way is in step with at least ``fewest`` bursts and a fifth of them, in some hour or over all."""
    flows = talk.flows
    own = own_pair(pairs, flows.app[talk.bits.row], flows.way[talk.bits.row])
    order = stable_order(own)
    edges = np.searchsorted(own[order], np.arange(len(pairs) + 1))
    kept = np.zeros(len(pairs), np.bool_)
    for low, high in _chunks(pairs, talk):
        rows = order[edges[low] : edges[high]]
        way = Way(own[rows] - low, talk.bits.taken(rows), talk.span)
        some = np.zeros(len(pairs), np.bool_)
        some[low:high] = True
        kept[low:high] = _kept(pairs.some(some), talk, way, fewest)
    return pairs.some(kept)


def _chunks(pairs: Pairs, talk: Talk) -> Iterator[tuple[int, int]]:
    """Runs of pairs that together have no more bursts than are looked at at once, or of one pair."""
    counts = np.bincount(talk.flows.app[talk.said.row], minlength=len(talk.flows.one) + 1)[pairs.app]
    total, low = np.append(0, np.cumsum(counts)), 0
    while low < len(pairs):
        high = max(int(np.searchsorted(total, total[low] + AT_ONCE, side="right")) - 1, low + 1)
        yield low, high
        low = high


def _kept(pairs: Pairs, talk: Talk, way: Way, fewest: int) -> Bool:
    bursts = bursts_of(pairs, talk.flows, talk.said)
    met = in_step(bursts, way)
    hour = (bursts.start - talk.span[0]) // HOUR_US
    group, one = distinct(bursts.pair, np.maximum(hour, 0))
    found = np.zeros(len(pairs), np.bool_)
    for place, pair in ((group, bursts.pair[one]), (bursts.pair, np.arange(len(pairs)))):
        asked, hits = (np.bincount(place, part, len(pair)) for part in (bursts.asks, met))
        found[pair[(hits >= fewest) & (hits >= LEAST_SHARE * asked)]] = True
    return found
