"""Places and sums within groups agree with the loop they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.habits.ragged import positions, summed

sizes = st.lists(st.integers(0, 6), max_size=20)


@given(sizes)
def test_positions_count_from_nought_in_every_group(found):
    counts = np.array(found, dtype=np.int64)
    owner, nth = positions(counts)
    assert owner.tolist() == [group for group, size in enumerate(found) for _ in range(size)]
    assert nth.tolist() == [place for size in found for place in range(size)]


@given(sizes, st.integers(0, 99))
def test_sums_start_anew_in_every_group(found, seed):
    counts = np.array(found, dtype=np.int64)
    values = np.random.default_rng(seed).random(int(counts.sum()))
    groups = np.split(values, np.cumsum(counts)[:-1]) if len(counts) else []
    expected = np.concatenate([np.zeros(0), *(np.cumsum(group) for group in groups)])
    assert summed(values, counts) == pytest.approx(expected)
