"""Columns of few texts."""

import numpy as np

from lab.stages.texts import coded, taken


def test_codes_become_texts_and_minus_one_null():
    assert taken(["a", None, "c"], np.array([2, 0, -1, 1])).to_pylist() == ["c", "a", None, None]


def test_rows_are_coded():
    code, first = coded([np.array([1, 1, 2, 1]), np.array([5, 6, 5, 5])])
    assert code[0] == code[3]
    assert len({code[0], code[1], code[2]}) == 3
    assert [(code[at], at) for at in first] == list(enumerate(first))
    assert coded([np.zeros(0, dtype=np.int64)])[1].tolist() == []
