"""Customers' streams begin where they may, go to many places, and weigh what TLS adds."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.clock import inside
from lab.customers import LARGEST, RECORD_OVERHEAD, sealed, streams

HOUR = 3600 * SECOND


def test_streams_begin_inside_their_intervals():
    when = np.array([[HOUR, 3 * HOUR], [10 * HOUR, 12 * HOUR]], dtype=np.int64)
    found = streams(np.random.default_rng(1), 60.0, 5, 30, when)
    begins = np.array([stream.time[0] - SECOND for stream in found])
    assert len(found) == pytest.approx(240, abs=60)
    assert inside(begins, when).all()
    assert np.all(np.diff(begins) >= 0)


def test_streams_go_to_many_places_for_all_customers():
    found = streams(np.random.default_rng(1), 100.0, 5, 30, np.array([[0, 10 * HOUR]], dtype=np.int64))
    assert len({stream.destination for stream in found}) == 30
    assert {stream.customer for stream in found} == set(range(5))
    for stream in found:
        assert np.all(np.diff(stream.time) > 0)
        assert 2 <= len(stream.time) <= 8
        assert stream.down.max() <= LARGEST + 300


@pytest.mark.parametrize(("size", "records"), [(0, 1), (1, 1), (16_384, 1), (16_385, 2), (100_000, 7)])
def test_tls_adds_a_constant_to_each_record(size, records):
    assert sealed(np.array([size])).tolist() == [size + records * RECORD_OVERHEAD]
