"""What headers leave of counted bytes."""

import pyarrow as pa
import pytest

from detector.imports.headers import ETHERNET, payload


@pytest.mark.parametrize(
    ("octets", "packets", "proto", "address", "frame", "left"),
    [
        (28 + 100, 1, "udp", "10.0.0.1", 0, 100),
        (48 + 100, 1, "udp", "fd00::1", 0, 100),
        (2 * 40 + 100, 2, "tcp", "10.0.0.1", 0, 100),
        (2 * (40 + 14) + 100, 2, "tcp", "10.0.0.1", ETHERNET, 100),
        (30, 1, "tcp", "10.0.0.1", 0, 0),
        (None, 1, "tcp", "10.0.0.1", 0, None),
        (30, None, "tcp", "10.0.0.1", 0, None),
    ],
)
def test_payload_is_what_the_smallest_headers_leave(octets, packets, proto, address, frame, left):
    columns = (pa.array([octets], pa.int64()), pa.array([packets], pa.int64()), pa.array([proto]), pa.array([address]))
    assert payload(*columns, frame=frame).to_pylist() == [left]
