"""The cache of names against a plain one that asks after each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.phones.name_cache import misses

ASKS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200)), max_size=80)


def plain(group, time, ttls):
    expires, found = {}, [False] * len(time)
    for ask in sorted(range(len(time)), key=lambda ask: time[ask]):
        if expires.get(group[ask], -1) < time[ask]:
            expires[group[ask]] = time[ask] + ttls[group[ask]]
            found[ask] = True
    return found


@settings(deadline=None)
@given(asks=ASKS, ttls=st.lists(st.integers(1, 60), min_size=6, max_size=6))
def test_it_is_the_plain_cache(asks, ttls):
    group = np.array([one for one, _ in asks], dtype=np.int64)
    time = np.array([moment for _, moment in asks], dtype=np.int64)
    found = misses(group, time, np.array(ttls, dtype=np.int64)[group])
    assert found.tolist() == plain(group.tolist(), time.tolist(), ttls)


def test_a_name_asked_for_all_day_is_asked_once_per_life_of_an_answer():
    time = np.arange(0, 86_400, 10, dtype=np.int64)
    found = misses(time * 0, time, time * 0 + 300)
    assert found.sum() == 86_400 // 310 + 1
    assert misses(time, time, time * 0 + 300).all()
