"""Whom a behaviour meets every day and whom in passing: the first are the same on other days, or nothing can be learned.

A host's name hangs on its place among the peers, but for popular and tail ones, of which their order counts, and those
whose name the app makes up.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from lab.authoring.kinds import behaviour_names
from lab.world.planning import plan_of

DAYS = range(1, 7)
MET_BY_CHANCE = {
    "feed-reader": "fresh",
    "local-vpn": "tail",
    "p2p-stream": "literal",
    "snowflake-proxy": "literal",
    "tethering": "tail",
    "torrent": "literal",
    "web-browsing": "tail",
}


def plans(kind, workers):
    """The same behaviour on several days."""
    made = import_module(f"lab.behaviours.{kind.replace('-', '_')}").Behaviour()
    return [plan_of(made, np.random.default_rng(seed), workers(seed)) for seed in DAYS]


def usual(batch):
    """(place, reach) of those who are met every day and named by their place."""
    told = enumerate(batch.peers)
    return {(n, one.reach) for n, one in told if not (one.passing or one.made or one.reach == "popular")}


@pytest.mark.parametrize("kind", behaviour_names())
def test_whoever_is_met_every_day_keeps_his_place(kind, workers):
    first, *others = map(usual, plans(kind, workers))
    assert all(one == first for one in others)


@pytest.mark.parametrize(("kind", "reach"), MET_BY_CHANCE.items())
def test_strangers_are_met_in_passing(kind, reach, workers):
    assert {peer.reach for one in plans(kind, workers) for peer in one.peers if peer.passing} == {reach}


@pytest.mark.parametrize("kind", ["feed-reader", "web-browsing"])
def test_strangers_who_do_not_say_so_are_caught(kind, workers):
    """The negative control: as many as a day has are met, so that they cannot all be there every day."""
    unsaid = [
        replace(one, peers=tuple(replace(peer, passing=False) for peer in one.peers)) for one in plans(kind, workers)
    ]
    assert len({frozenset(usual(one)) for one in unsaid}) > 1
