"""A generator, and evidence made up of casts whose scores are drawn or learned by heart."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)
