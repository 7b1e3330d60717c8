"""Elements of a JSON array, whole and cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.contract import EvidenceError
from detector.imports.account import Faults
from detector.imports.arrays import elements


@given(st.lists(st.dictionaries(st.text(max_size=4), st.integers()), max_size=5), st.integers(0, 2))
def test_elements_are_those_of_the_array(found, indent):
    assert elements(json.dumps(found, indent=indent), 0, "x", Faults(allow_partial=False)) == found


def test_a_cut_array_gives_what_stands_before():
    faults = Faults(allow_partial=True)
    assert elements('[1,\n2,\n{"a"', 0, "x.json", faults) == [1, 2]
    assert faults.texts == ["""x.json, line 3: found '{"a"', expected an element of the array or ]"""]
    with pytest.raises(EvidenceError, match="line 1: found the end of the file"):
        elements("[1", 0, "x.json", Faults(allow_partial=False))
