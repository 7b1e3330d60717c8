"""dns.log as the dns table."""

import pyarrow as pa

from detector.derived import DERIVED
from detector.imports.zeek_dns import dns_table

ROW = {"ts": 1.0, "uid": "C1", "id.orig_h": "10.0.0.2", "id.resp_h": "10.0.0.1", "rtt": 0.5, "query": "A.Example."}
SCHEMA = pa.schema(
    [
        ("ts", pa.float64()),
        *((name, pa.string()) for name in ("uid", "id.orig_h", "id.resp_h", "query", "qtype_name")),
        ("rtt", pa.float64()),
        *((name, pa.int64()) for name in ("qtype", "rcode")),
        ("answers", pa.list_(pa.string())),
    ]
)


def table(rows, flows=None):
    dns = pa.Table.from_pylist(rows, SCHEMA)
    return dns_table(dns, pa.chunked_array([["C1", "C2"]]), flows).cast(DERIVED["dns"]).to_pylist()


def test_a_line_is_a_question_with_its_answer():
    (row,) = table([{**ROW, "qtype": 1, "rcode": 0, "answers": ["1.1.1.1", "c.example"]}])
    assert (row["flow"], row["time"], row["answered"], row["rcode"]) == (0, 1_000_000, 1_500_000, 0)
    assert (row["qname"], row["qtype"], row["answers"]) == ("a.example", "A", ["1.1.1.1", "c.example"])
    assert (row["bytes_up"], row["bytes_down"]) == (None, None)


def test_no_answer_is_null_and_a_line_without_a_name_is_no_row():
    (row,) = table([{**ROW, "rtt": None}, {**ROW, "query": None}])
    assert (row["answered"], row["rcode"], row["answers"]) == (None, None, [])


def test_sizes_are_those_of_a_connection_with_one_look_up():
    flows = pa.table({"key": [0, 1], "bytes_up": [30, 90], "bytes_down": [40, None]})
    rows = table([ROW, {**ROW, "uid": "C2"}, {**ROW, "uid": "C2"}], flows)
    assert [row["bytes_up"] for row in rows] == [30, None, None]
