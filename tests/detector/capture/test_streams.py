"""The bytes of a stream are the union of its segments, counted once, in any order, over the wrap of 2**32."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.streams import Segments, stream


def segments(flows, known, start):
    """Segments of several flows: lists of (offset, size) from each flow's first byte."""
    slot = [number for number, flow in enumerate(flows) for _ in flow]
    pairs = [pair for flow in flows for pair in flow]
    return Segments(
        row=np.arange(len(pairs)),
        slot=np.array(slot, np.int32),
        tcp=np.ones(len(pairs), bool),
        seq=np.array([(start + begin) % 2**32 for begin, _ in pairs], np.uint32),
        size=np.array([size for _, size in pairs], np.int64),
        origin=np.full(len(pairs), start % 2**32, np.uint32),
        known=np.full(len(pairs), known, bool),
    )


flow = st.lists(st.tuples(st.integers(-20, 200), st.integers(1, 40)), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    flows=st.lists(flow, min_size=1, max_size=4), known=st.booleans(), start=st.sampled_from([0, 77, 2**31, 2**32 - 50])
)
def test_fresh_bytes_are_the_union(flows, known, start):
    given_ = segments(flows, known, start)
    out = stream(given_)
    assert sorted(out.row.tolist()) == given_.row.tolist()
    for number, pairs in enumerate(flows):
        covered = {byte for begin, size in pairs for byte in range(begin, begin + size) if not known or byte >= 0}
        assert int(out.fresh[out.slot == number].sum()) == len(covered)


@settings(max_examples=150, deadline=None)
@given(pairs=flow, seed=st.integers(0, 99))
def test_order_and_repeats_do_not_change_the_sum(pairs, seed):
    rng = np.random.default_rng(seed)
    straight = int(stream(segments([pairs], True, 9)).fresh.sum())
    mixed = [pairs[index] for index in rng.permutation(np.repeat(np.arange(len(pairs)), 2))]
    assert int(stream(segments([mixed], True, 9)).fresh.sum()) == straight


def test_stream_of_several_gibibytes_is_followed_over_the_wrap():
    size = 1 << 30
    flows = [[(index * size, size) for index in range(6)]]
    out = stream(segments(flows, True, 123))
    assert int(out.fresh.astype(np.int64).sum()) == 6 << 30
    assert not out.gap.any()


def test_gap_skip_and_keep_alive():
    out = stream(segments([[(-1, 1), (0, 10), (5, 10), (20, 5), (0, 10)]], True, 1_000))
    assert out.begin.tolist() == [0, 0, 0, 5, 20]
    assert out.fresh.tolist() == [0, 10, 0, 5, 5]
    assert out.skip.tolist() == [1, 0, 10, 5, 0]
    assert out.gap.tolist() == [False, False, False, False, True]


def test_datagrams_stand_end_to_end():
    given_ = segments([[(0, 5), (0, 7)], [(3, 2)]], False, 0)
    datagrams = Segments(**{**vars(given_), "tcp": np.zeros(3, bool)})
    out = stream(datagrams)
    assert out.begin.tolist() == [0, 5, 0]
    assert out.fresh.tolist() == [5, 7, 2]
    assert stream(segments([], True, 0)).row.tolist() == []
