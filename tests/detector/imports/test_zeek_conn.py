"""conn.log in our words: state, counts, unset values."""

import pyarrow as pa
import pytest

from detector.imports.delimited import FLAG, PORT, REAL, TEXT, TIME, WHOLE
from detector.imports.zeek_conn import conn_columns
from detector.imports.zeek_kinds import KINDS

TYPES = {
    TIME: pa.float64(),
    REAL: pa.float64(),
    WHOLE: pa.int64(),
    PORT: pa.int32(),
    TEXT: pa.string(),
    FLAG: pa.bool_(),
}
ROW = {"ts": 1.0, "id.orig_h": "10.0.0.2", "proto": "tcp"}


def told(**values):
    row = {**ROW, **values}
    conn = pa.table({name: pa.chunked_array([[row.get(name)]], TYPES[kind]) for name, kind in KINDS["conn"].items()})
    return {name: column[0].as_py() for name, column in conn_columns(conn).items()}


@pytest.mark.parametrize(
    ("values", "established"),
    [
        ({"conn_state": "SF", "history": "ShADadFf"}, True),
        ({"conn_state": "S0", "history": "S"}, False),
        ({"conn_state": "REJ", "history": "Sr"}, False),
        ({"conn_state": "OTH", "history": "DdA"}, True),
        ({"conn_state": "OTH", "history": "DA"}, False),
        ({}, None),
        ({"proto": "udp", "orig_pkts": 1, "resp_pkts": 1}, True),
        ({"proto": "udp", "orig_pkts": 1, "resp_pkts": 0}, False),
        ({"proto": "udp", "history": "Dd"}, True),
        ({"proto": "udp"}, None),
    ],
)
def test_established(values, established):
    assert told(**values)["established"] is established


def test_duration_and_its_absence():
    assert told(duration=2.5)["end"] == 3_500_000
    assert told()["end"] == 1_000_000


def test_unset_counts_are_zero_only_where_the_history_says_so():
    assert told(history="S", orig_pkts=1, orig_ip_bytes=60)["bytes_up"] == 0
    assert told(history="ShAD", orig_pkts=3, orig_ip_bytes=260)["bytes_up"] is None
    assert told(proto="udp", history="D", orig_pkts=1, orig_ip_bytes=128)["bytes_up"] == 100
    assert told()["bytes_up"] is None
    assert told(orig_bytes=7, history="S")["bytes_up"] == 7


def test_only_tcp_without_a_syn_may_be_a_piece():
    assert [told(history=one)["opened"] for one in ("ShAD", "DdA", "hAD")] == [True, False, False]
    assert told(proto="udp", history="Dd")["opened"] is True
    assert told()["opened"] is None
