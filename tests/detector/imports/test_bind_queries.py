"""BIND's query log."""

import pytest

from detector.contract import EvidenceError

ISO = "2022-04-01T12:02:47.763Z info: client @0x7fde 192.168.0.30#49445 (A.Example): query: A.Example IN TXT + (192.168.0.10)\n"
OLD = "01-Apr-2022 12:02:47.763 queries: info: client 192.168.0.30#49445 (a.example): query: a.example IN TXT +E(0)K\n"


def test_both_ways_of_writing_times_are_read(imported):
    rows = imported(a=ISO + OLD).tables["dns"].to_pylist()
    assert [(row["time"], row["client"], row["qname"], row["qtype"]) for row in rows] == [
        (1_648_814_567_763_000, "192.168.0.30", "a.example", "TXT")
    ] * 2
    assert [row["server"] for row in rows] == ["192.168.0.10", None]
    assert {(row["answered"], row["rcode"], row["bytes_up"]) for row in rows} == {(None, None, None)}


def test_lines_of_other_categories_are_counted(imported):
    assert imported(a=ISO + "general: info: reloading\n").outside == {"lines that are no queries": 1}


def test_a_query_that_cannot_be_read_is_a_fault(imported):
    with pytest.raises(EvidenceError, match=r"line 2: found .*expected a time, a client"):
        imported(a=ISO + "client x#1 (a): query: a IN TXT +\n")
    assert imported(partial=True).outside == {"unreadable": 1}
