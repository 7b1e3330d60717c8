"""Laws of sizes: the simplest that fits what was tried."""

import numpy as np
import pytest

from lab.stages.flows.sizes import law_of


def sizes(law, *asked, longer=0):
    asked = np.array(asked, dtype=np.int64)
    return law.sizes(asked, np.full(len(asked), longer)).tolist()


def test_headers_are_a_least():
    law = law_of([1, 10, 100, 1000], [80, 80, 100, 1000])
    assert sizes(law, 5, 90, 5000) == [80, 90, 5000]
    assert sizes(law, 5, 90, 5000, longer=20) == [100, 100, 5000]


def test_constants_grow_with_names_only():
    assert sizes(law_of([1, 9], [28, 28]), 1, 10**6, longer=3) == [31, 31]


def test_a_most_is_kept():
    assert sizes(law_of([1, 50, 100, 255, 1000], [57, 57, 100, 255, 255]), 70, 900) == [70, 255]


def test_what_is_neither_is_interpolated_and_goes_on():
    law = law_of([1, 100, 200, 400], [10, 500, 550, 1150])
    assert law.tried
    assert sizes(law, 100, 150, 800) == [500, 525, 2350]


@pytest.mark.parametrize("shift", [-40, 0, 17])
def test_a_shift_is_found(shift):
    asked = [100, 200, 5000, 9000]
    assert sizes(law_of(asked, [one + shift for one in asked]), 777) == [777 + shift]
