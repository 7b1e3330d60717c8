"""Findings from lines: what is taken, and what each fault says."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from detector.contract import Finding
from detector.fenced import Failed, taken

ROW = {
    "analytic": "AN1793",
    "device": "phone-01",
    "first_seen": "2026-03-02T00:00:00Z",
    "last_seen": "2026-03-02T01:00:00Z",
    "decided_at": "2026-03-02T01:00:00Z",
    "score": 0.9,
    "alert": True,
    "severity": "high",
    "detector": "mine",
    "detector_version": "1",
}
LINE = json.dumps(ROW).encode()


def test_findings_are_taken_in_order_and_empty_lines_are_none(tmp_path):
    other = json.dumps(ROW | {"device": "phone-02"}).encode()
    found = list(taken([LINE + b"\n", b"\n", b"  ", other]))
    assert [one.device for one in found] == ["phone-01", "phone-02"]
    path = tmp_path / "findings.jsonl"
    path.write_bytes(LINE + b"\n\n" + other)
    assert list(taken(path)) == found


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"alert!", "line 2: no finding"),
        (b"[1]", "found [1], expected an object"),
        (json.dumps(ROW | {"score": 2}).encode(), "score: found 2, expected a number from 0 to 1"),
        (json.dumps(ROW | {"analytic": "T1437"}).encode(), "analytic: found 'T1437'"),
        (LINE.replace(b"0.9", b"NaN"), "score: found nan"),
        (b"[" * 100_000, "line 2: no finding"),
        (b"\xff\xfe", "line 2: no finding"),
        (b"{" + b" " * (1 << 20), "line 2: longer than"),
        (LINE.replace(b"0.9", b"9" * 5000), "line 2: no finding"),
    ],
)
def test_what_is_no_finding_is_told_with_its_line(line, said):
    with pytest.raises(Failed) as fault:
        list(taken([LINE, line]))
    assert said in str(fault.value)
    assert len(str(fault.value)) < 1000


def test_too_many_findings_are_a_failure_found_while_they_come():
    endless = itertools.repeat(LINE)
    with pytest.raises(Failed, match="line 101: more than 100 findings"):
        list(taken(endless, most=100))


def test_a_long_line_of_a_file_is_not_read_whole(tmp_path):
    path = tmp_path / "junk"
    path.write_bytes(b"x" * (3 << 20))
    with pytest.raises(Failed, match="line 1: longer than"):
        list(taken(path))


@given(some.binary())
def test_any_bytes_are_findings_or_a_failure(content):
    found, faults = [], []
    try:
        found += taken(content.split(b"\n"))
    except Failed as fault:
        faults.append(str(fault))
    assert all(isinstance(one, Finding) for one in found)
    assert all(fault.startswith("line ") for fault in faults)
