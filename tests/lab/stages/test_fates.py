"""Which packets are lost: as many as asked for, in runs as long as asked for, the same however they are asked."""

from __future__ import annotations

import numpy as np
import pytest

from lab.network import Network
from lab.stages.fates import Fate, lost_first


def chain(network: Network, count: int = 200_000):
    zero = np.zeros(1, dtype=np.int64)
    return lost_first(zero + 11, np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.int64), network)


@pytest.mark.parametrize(("loss", "burst"), [(0.01, 1.0), (0.05, 1.0), (0.1, 1.0), (0.05, 3.0), (0.02, 8.0)])
def test_share_and_runs_are_those_of_the_settings(loss, burst):
    lost = chain(Network(loss=loss, burst=burst))
    runs = int((lost[1:] & ~lost[:-1]).sum()) + int(lost[0])
    assert lost.mean() == pytest.approx(loss, rel=0.15)
    assert lost.sum() / runs == pytest.approx(max(burst, 1 / (1 - loss)), rel=0.1)


def test_each_packet_is_on_its_own_without_bursts():
    lost = chain(Network(loss=0.1))
    after = lost[1:][lost[:-1]]
    assert after.mean() == pytest.approx(0.1, abs=0.01)


def test_one_by_one_is_as_all_at_once():
    network = Network(loss=0.1, burst=2.0)
    local = np.array([True, False, True, True, False] * 80)
    both = lost_first(np.array([3, 5]), np.tile(local, 2), np.repeat([0, 1], len(local)), network)
    for row, seed in enumerate((3, 5)):
        fate = Fate(seed, network)
        mine = slice(row * len(local), (row + 1) * len(local))
        assert [fate(bool(side)) for side in local] == both[mine].tolist()
    assert both.any()
