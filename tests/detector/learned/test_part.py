"""Parts: an id that follows the content alone, and keys that never collide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.learned.gathering import gathered
from detector.learned.part import device_bit, keyed


def test_the_id_is_of_the_content_not_of_the_order(made):
    rows = [{"start_s": 60 * k, "package": f"app{k % 2}", "name": f"h{k}.example"} for k in range(6)]
    other = type(made)()
    for row in rows:
        made.flow(**row)
    for row in reversed(rows):
        other.flow(**row)
    assert gathered(made.telemetry()) == gathered(other.telemetry())
    assert hash(gathered(made.telemetry())) == hash(gathered(other.telemetry()))


@pytest.mark.parametrize("change", [{"name": "z.example"}, {"up": 40_000}, {"start_s": 90_000}, {"device": "other"}])
def test_anything_else_said_is_another_part(made, change):
    other = type(made)()
    row = {"start_s": 60, "package": "app", "name": "h.example"}
    made.flow(**row)
    other.flow(**{**row, **change})
    assert gathered(made.telemetry()) != gathered(other.telemetry())


def test_view_and_span_belong_to_the_content(made):
    made.flow(60)
    part = gathered(made.telemetry())
    assert replace(part, view="no-sni").named() != part
    assert replace(part, span=(0, 1)).named() != part


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2), st.integers(-1, 5)), min_size=1))
def test_keys_are_equal_where_all_codes_are(rows):
    one, two, three = (np.array(column) for column in zip(*rows, strict=True))
    keys = keyed((one, 4), (two, 3), (three, 6)).tolist()
    assert len(set(keys)) == len(set(rows))


def test_too_many_combinations_are_refused():
    code = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="learn in several parts"):
        keyed((code, 2**31), (code, 2**31))


def test_devices_spread_over_the_bits():
    assert len({device_bit(f"phone-{k}") for k in range(500)}) == 64
