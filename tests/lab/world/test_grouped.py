"""Rows by phone: each once, those of nobody never."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.world.grouped import by_device


@given(st.lists(st.integers(-1, 4)))
def test_each_row_stands_with_its_device(devices):
    rows = by_device(np.array(devices, dtype=np.int64), 5)
    assert [mine.tolist() for mine in rows] == [
        [row for row, device in enumerate(devices) if device == number] for number in range(5)
    ]
