"""Quantiles agree with numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.quantiles import quantiles


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40).map(np.array), share=st.floats(0, 1))
def test_agrees_with_numpy(values, share):
    assert quantiles(values, share)[0] == pytest.approx(float(np.quantile(values, share)), abs=1e-6)
