"""nfdump's CSV of both releases."""

import pytest

from detector.contract import EvidenceError

OLD = """ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt
2026-03-02 00:00:00.500,2026-03-02 00:00:02.500,2.000,10.0.0.2,9.9.9.9,40000,443,TCP,...AP.SF,0,0,5,300,0,0
2026-03-02 00:00:00.600,2026-03-02 00:00:02.400,1.800,9.9.9.9,10.0.0.2,443,40000,TCP,...AP.SF,0,0,4,1160,0,0
2026-03-02 00:00:00.600,2026-03-02 00:00:00.600,0.000,10.0.0.2,9.9.9.9,0,8.0,ICMP,........,0,0,1,84,0,0

Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
3,1544,10,0,0,0
"""
NEW = """firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows
2026-03-02 00:00:00.500,2.000,UDP,10.0.0.2,40000,9.9.9.9,53,1,128,0,0,1
"""


def test_the_older_form_with_its_summary(imported):
    found = imported(a=OLD)
    rows = found.tables["flows"].to_pylist()
    assert [(row["proto"], row["bytes_up"], row["bytes_down"], row["established"]) for row in rows] == [
        ("tcp", 100, 1000, True),
        ("icmp", 56, 0, False),
    ]
    assert (rows[0]["start"], rows[0]["end"]) == (1_772_409_600_500_000, 1_772_409_602_500_000)
    assert found.accounts[0].left == {"remarks": 4}


def test_the_newer_form(imported):
    (row,) = imported(a=NEW).tables["flows"].to_pylist()
    assert (row["end"] - row["start"], row["bytes_up"], row["server_port"], row["name"]) == (2_000_000, 100, 53, None)


def test_a_damaged_line_is_a_fault(imported):
    with pytest.raises(EvidenceError, match=r"line 3: found 3 columns, expected 12"):
        imported(a=NEW + "2026-03-02 00:00:00.500,2.0,UDP\n")


def test_blanks_around_commas_are_none_of_a_time(imported):
    padded = OLD.replace(",", ", ").replace(", 443,", ",   443 ,")
    assert imported(a=padded).tables["flows"].equals(imported(a=OLD).tables["flows"])
