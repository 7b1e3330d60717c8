"""nfdump's JSON: an array, or an object a line."""

import json

import pytest

from detector.contract import EvidenceError

RECORD = {
    "type": "FLOW",
    "first": "2026-03-02T00:00:00.500",
    "last": "2026-03-02T00:00:02.500",
    "src4_addr": "10.0.0.2",
    "dst4_addr": "9.9.9.9",
    "src_port": 40000,
    "dst_port": 443,
    "proto": 6,
    "tcp_flags": "...AP.SF",
    "in_packets": 5,
    "in_bytes": 300,
}


@pytest.mark.parametrize(
    "write", [lambda rows: json.dumps(rows, indent=1), lambda rows: "\n".join(map(json.dumps, rows))]
)
def test_array_and_lines_are_read_alike(imported, write):
    back = {
        **RECORD,
        "src4_addr": "9.9.9.9",
        "dst4_addr": "10.0.0.2",
        "src_port": 443,
        "dst_port": 40000,
        "first": RECORD["last"],
    }
    (row,) = imported(a=write([RECORD, back])).tables["flows"].to_pylist()
    assert (row["client"], row["bytes_up"], row["bytes_down"], row["proto"]) == ("10.0.0.2", 100, 100, "tcp")


def test_a_cut_array_is_a_fault(imported):
    text = json.dumps([RECORD, RECORD], indent=1)
    with pytest.raises(EvidenceError, match=r"line \d+: found"):
        imported(a=text[:-40])
    assert imported(partial=True).accounts[0].rows == {"flows": 1}


def test_a_record_of_other_values_is_a_fault(imported):
    with pytest.raises(EvidenceError, match="record 2"):
        imported(a=json.dumps([RECORD, {**RECORD, "src_port": "http"}]))
