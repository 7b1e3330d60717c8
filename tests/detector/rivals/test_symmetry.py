"""Symmetry by hand: received against sent, on whichever side the device is."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.contract import SCHEMAS
from detector.rivals.symmetry import LEAST_BYTES, balances


def balanced(made, *, exchanges=True):
    telemetry = made.telemetry()
    found, _ = balances(telemetry["flows"], telemetry.tables.get("exchanges") if exchanges else None, 0)
    return found


def test_what_comes_in_goes_out_again(made):
    made.flow(0, up=1_000, down=90_000, uid=10_007)
    made.flow(1, up=90_000, down=1_000, uid=10_007)
    made.flow(2, up=1_000, down=90_000, uid=10_008)
    found = balanced(made)
    assert found.score.tolist() == pytest.approx([1, 1 / 90])
    assert (found.received.tolist(), found.sent.tolist()) == ([91_000, 90_000], [91_000, 1_000])


def test_a_server_receives_what_goes_up(made):
    made.flow(0, up=5_000, down=90_000, inbound=True, client="10.88.0.7", server="10.88.0.2")
    assert (balanced(made).received[0], balanced(made).sent[0]) == (5_000, 90_000)


def test_a_little_traffic_says_nothing(made):
    made.flow(0, up=LEAST_BYTES // 2 - 1, down=LEAST_BYTES // 2)
    assert balanced(made).score.tolist() == [0]
    made.flow(1, up=1, down=0)
    assert balanced(made).score.tolist() == [1]


def test_bytes_count_when_they_are_known(made):
    flow = made.flow(0, lasts_s=3700, up=80_000, down=80_000)
    made.exchange(flow, 10, 40_000, 80_000)
    made.exchange(flow, 2000, 40_000, 0)
    made.flow(100, up=7, down=7)
    found = balanced(made)
    assert (found.window.tolist(), found.sent.tolist(), found.received.tolist()) == (
        [0, 1],
        [40_007, 40_000],
        [80_007, 0],
    )
    whole = balanced(made, exchanges=False)
    assert (whole.window.tolist(), whole.sent.tolist()) == ([0, 2], [7, 80_000]), "a record comes when its flow ends"


def test_nothing_is_balanced_in_nothing():
    found, rows = balances(SCHEMAS["flows"].empty_table(), SCHEMAS["exchanges"].empty_table(), 0)
    assert (len(found.score), len(rows)) == (0, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=9), st.integers(1, 9))
def test_symmetry_knows_neither_direction_nor_unit(made, sizes, times):
    made.rows.clear()
    for up, down in sizes:
        made.flow(0, up=up, down=down, uid=1)
        made.flow(0, up=down, down=up, uid=2)
        made.flow(0, up=up * times, down=down * times, uid=3)
    plain, turned, scaled = balanced(made).score
    assert plain == turned
    assert 0 <= plain <= 1
    assert scaled == pytest.approx(plain) or plain == 0
    assert np.isfinite(scaled)
