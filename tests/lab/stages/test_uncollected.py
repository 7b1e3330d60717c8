"""The search for garbage is off inside, and afterwards as it was before, whatever happens."""

import gc

import pytest

from lab.stages.uncollected import uncollected


def test_it_comes_back_after_a_fault():
    assert gc.isenabled()
    with pytest.raises(KeyError), uncollected():
        {}["x"]
    assert gc.isenabled()


def test_inside_another_it_stays_off_until_that_ends():
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
