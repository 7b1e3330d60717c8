"""Rows without a time, in every form that can have them."""

import json

import pyarrow as pa
import pytest

from detector.contract import EvidenceError
from detector.imports.account import Faults
from detector.imports.undated import dated

ROWS = pa.table({"name": ["a", "b", "c"]})
SAID = pa.chunked_array([["1", "yesterday", None]])
EVE_FLOW = {
    "timestamp": "2026-03-02T00:05:00.000000+0000",
    "event_type": "flow",
    "flow_id": 7,
    "src_ip": "10.0.0.2",
    "src_port": 40000,
    "dest_ip": "9.9.9.9",
    "dest_port": 443,
    "proto": "TCP",
}
NFDUMP = {"first": "2026-03-02T00:00:00.500", "last": "2026-03-02T00:00:01.500", "proto": 17, "in_packets": 1}
NFDUMP |= {"src4_addr": "10.0.0.2", "dst4_addr": "9.9.9.9", "src_port": 40000, "dst_port": 53, "in_bytes": 128}
NFDUMP_CSV = (
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes\n"
    "2026-03-02 00:00:00.500,2.000,UDP,10.0.0.2,40000,9.9.9.9,53,1,128\n"
    "yesterday,2.000,UDP,10.0.0.2,40001,9.9.9.9,53,1,128\n"
)


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_rows_with_a_time_stay_as_they_are(account, faults):
    assert dated(ROWS, pa.array([1, 2, 3]), SAID, account, faults) is ROWS
    assert account.left == {}


def test_a_row_without_a_time_is_a_fault_that_shows_what_was_said(account, faults):
    with pytest.raises(EvidenceError, match=r"2 of 3 lines: found the time 'yesterday', expected seconds"):
        dated(ROWS, pa.array([1, None, None]), SAID, account, faults)


def test_with_partial_evidence_the_others_are_read_and_the_rest_is_counted(account):
    faults = Faults(allow_partial=True)
    kept = dated(ROWS, pa.array([1, None, None]), SAID, account, faults)
    assert (kept["name"].to_pylist(), account.left, len(faults.texts)) == (["a"], {"without a time": 2}, 1)


@pytest.mark.parametrize(
    "log",
    [
        NFDUMP_CSV,
        lines(NFDUMP, {**NFDUMP, "first": "yesterday"}),
        json.dumps([NFDUMP, {**NFDUMP, "first": None}]),
        lines(EVE_FLOW, {**EVE_FLOW, "flow_id": 8, "timestamp": "yesterday"}),
        lines(
            {"ts": 1.5, "uid": "C1", "id.orig_h": "10.0.0.2", "id.resp_h": "9.9.9.9", "conn_state": "SF"},
            {"ts": 1e30, "uid": "C2", "id.orig_h": "10.0.0.2", "id.resp_h": "9.9.9.9", "conn_state": "SF"},
        ),
    ],
    ids=["nfdump-csv", "nfdump-ndjson", "nfdump-json", "eve", "zeek-json"],
)
def test_no_form_keeps_a_flow_that_was_at_no_time(imported, log):
    with pytest.raises(EvidenceError, match="1 of 2 lines: found"):
        imported(a=log)
    found = imported(partial=True, a=log)
    assert found.tables["flows"].num_rows == 1
    assert found.tables["flows"]["start"].null_count == 0
    assert found.accounts[0].left["without a time"] == 1


def test_a_zeek_line_whose_time_is_unset_is_none_either(imported, zeek):
    rows = [
        f"{ts} C{port} 10.0.0.2 {port} 9.9.9.9 443 tcp - 1.0 1 1 SF - - SDd 1 1 1 1" for port, ts in ((1, 2), (2, "-"))
    ]
    found = imported(partial=True, a=zeek("conn", *rows))
    assert (found.tables["flows"].num_rows, found.accounts[0].left["without a time"]) == (1, 1)
