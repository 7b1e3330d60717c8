"""Streams within windows: a flow counts once in each, and a window without enough of them is none."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.relay_bytes import Pieces
from detector.analytics.relay_matching import Bursts, Way
from detector.analytics.relay_streams import streams_of

US = 1_000_000


def found(rows, times_s, fewest, *, single):
    n = len(rows)
    start, one = np.array(times_s) * US, np.ones(n, np.int64)
    bursts = Bursts(0 * one, np.array(rows), start, start, start, 10 * one, 10 * one, one > 0, single=single)
    way = Way(0 * one, Pieces(0 * one, start, 100 * one, 100 * one), (0, 100 * US))
    return streams_of(bursts, way, 50 * US, 0, fewest)


@pytest.mark.parametrize("single", [False, True])
def test_windows_with_enough_streams_are_kept(single):
    windows, streams = found([1, 2, 3, 4], [1, 2, 3, 60], 3, single=single)
    assert windows.number.tolist() == [0]
    assert streams.place.tolist() == [0, 0, 0, 1]
    assert streams.weight[:3].tolist() == [1, 1, 1]


def test_bursts_of_one_flow_are_one_stream():
    assert len(found([1, 1, 2], [1, 2, 3], 3, single=False)[0]) == 0
    _, streams = found([1, 1, 2], [1, 2, 3], 2, single=False)
    assert streams.weight.tolist() == [0.5, 0.5, 1]
