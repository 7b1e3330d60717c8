"""Records of one direction as flows of both."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.imports.netflow import COLUMNS, SYN, told

HOUR = 3_600_000_000
TYPES = (pa.int64(), pa.int64(), pa.string(), pa.int32(), pa.string(), pa.int32(), pa.string(), *[pa.int64()] * 3)
SCHEMA = pa.schema(list(zip(COLUMNS, TYPES, strict=True)))


def record(start, end, *, back=False, port=40_000, proto="tcp", packets=2, octets=180, flags=SYN):
    ends = ("10.0.0.2", port, "9.9.9.9", 443)
    return dict(
        zip(COLUMNS, (start, end, *(ends[2:] + ends[:2] if back else ends), proto, packets, octets, flags), strict=True)
    )


def flows(*rows):
    return told(pa.Table.from_pylist(list(rows), SCHEMA)).flows.to_pylist()


def test_two_directions_are_one_flow():
    (row,) = flows(record(5, 90, back=True, packets=3, octets=420), record(0, 100))
    assert (row["client"], row["client_port"], row["server"], row["start"], row["end"]) == (
        "10.0.0.2",
        40_000,
        "9.9.9.9",
        0,
        100,
    )
    assert (row["packets_up"], row["packets_down"], row["bytes_up"], row["bytes_down"]) == (2, 3, 100, 300)
    assert row["established"] is True


def test_at_the_same_time_the_lower_port_serves():
    (row,) = flows(record(0, 100, back=True), record(0, 100))
    assert row["server_port"] == 443


def test_pieces_of_an_active_timeout_are_one_flow_and_one_way_is_not_established():
    (row,) = flows(record(0, 100), record(200, 300, flags=0), record(400, 500, flags=0))
    assert (row["packets_up"], row["end"], row["established"]) == (6, 500, False)


def test_syn_and_silence_begin_another():
    assert len(flows(record(0, 100), record(200, 300))) == 2
    assert len(flows(record(0, 100, flags=0), record(101 + HOUR, 102 + HOUR, flags=0))) == 2
    assert len(flows(record(0, 100), record(0, 100, port=40_001))) == 2


def test_counts_that_are_not_told_are_null():
    (row,) = flows({**record(0, 1), "packets": None, "octets": None})
    assert (row["packets_up"], row["bytes_up"]) == (None, None)


def test_no_records_are_no_flows():
    assert flows() == []


@given(
    st.lists(
        st.builds(
            record,
            start=st.integers(0, 10),
            end=st.integers(10, 20),
            back=st.booleans(),
            port=st.sampled_from([40_000, 40_001]),
            packets=st.integers(1, 9),
            flags=st.sampled_from([0, SYN]),
        ),
        max_size=12,
    )
)
def test_every_packet_is_in_a_flow(rows):
    found = flows(*rows)
    assert sum(row["packets_up"] + row["packets_down"] for row in found) == sum(row["packets"] for row in rows)
