"""Gathers of a mapped file: any width, any place, zeros past the end."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.capture.mapped import MappedFile


@settings(max_examples=80, deadline=None)
@given(size=st.integers(0, 9_000), width=st.integers(1, 64), places=st.lists(st.integers(0, 9_100), max_size=20))
def test_gather_is_slicing_padded_with_zeros(wire, size, width, places):
    data = np.random.default_rng(size).bytes(size)
    file = MappedFile(wire.write(data))
    rows = file.gather(np.array(places, np.int64), width)
    assert rows.shape == (len(places), width)
    for place, row in zip(places, rows, strict=True):
        assert row.tobytes() == data[place : place + width].ljust(width, b"\0")


def test_span_ends_where_the_file_ends(wire):
    file = MappedFile(wire.write(b"abcdef"))
    assert file.span(2, 100) == b"cdef"
    assert file.span(50, 60) == b""
    assert MappedFile(wire.write(b"")).span(0, 4) == b""


def test_bytes_in_memory_read_like_a_file(wire):
    data = bytes(range(200))
    held, places = MappedFile.of(data), np.array([0, 7, 195, 300])
    assert held.size == 200
    assert held.span(198, 300) == data[198:]
    assert (held.gather(places, 8) == MappedFile(wire.write(data)).gather(places, 8)).all()
