"""Curves: what is kept is enough to draw them and to compute the area under them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lab.scoring.curves import rising
from lab.scoring.ranking import average_precision, precision_recall

RANKED = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9]), st.booleans()), max_size=30)


@given(RANKED)
def test_the_area_under_what_is_kept_is_average_precision(ranked):
    relevant = sum(one for _, one in ranked) or 1
    kept = rising(precision_recall(ranked, relevant))
    steps = zip([0.0, *(one.recall for one in kept)], kept, strict=False)
    assert (
        abs(sum((one.recall - before) * one.precision for before, one in steps) - average_precision(ranked, relevant))
        < 1e-12
    )
    assert all(one.hits > before.hits for before, one in itertools.pairwise(kept))
