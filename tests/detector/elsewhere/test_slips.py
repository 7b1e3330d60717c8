"""Slips' alerts in both forms, and lines that are none."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.elsewhere.slips import verdicts
from detector.junk import JunkError

IDEA = {
    "Format": "IDEA0",
    "DetectTime": "2026-11-22T00:00:00+00:00",
    "EventTime": "2026-03-02T00:00:07+00:00",
    "Category": ["Intrusion.Botnet"],
    "Confidence": 0.8,
    "Description": "beaconing to 198.18.0.9",
    "Source": [{"IP4": ["10.88.0.2"]}],
    "Target": [{"IP4": ["198.18.0.9"], "Port": [443]}],
}
IDMEF = {
    "Version": "2.D.V03",
    "Analyzer": {"Name": "Slips"},
    "CreateTime": "2026-03-02T00:00:09Z",
    "Severity": "High",
    "Source": [{"IP": "10.88.0.2"}],
    "Target": [{"Hostname": "a.example"}],
}


def read(*rows):
    return list(verdicts(json.dumps(row).encode() + b"\n" for row in rows))


def test_both_forms_are_read():
    idea, idmef = read(IDEA, IDMEF)
    assert (idea.host, idea.peer, idea.time, idea.score) == ("10.88.0.2", "198.18.0.9", 1_772_409_607_000_000, 0.8)
    assert (idea.rule, idea.severity, idea.alert) == ("Intrusion.Botnet", "medium", True)
    assert (idmef.peer, idmef.severity, idmef.score, idmef.time) == ("a.example", "high", 1.0, 1_772_409_609_000_000)


def test_an_alert_about_one_host_alone_has_no_peer():
    (one,) = read({**IDEA, "Target": []})
    assert one.peer == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Source": []}, "line 2: Source: found \\[\\], expected a list with an address"),
        ({"Confidence": 80}, "Confidence: found 80, expected 0 to 1"),
        ({"EventTime": "yesterday"}, "EventTime: found 'yesterday', expected RFC 3339"),
        ({"EventTime": None, "DetectTime": None}, "found no EventTime or StartTime"),
    ],
)
def test_an_alert_that_is_none_is_named_with_its_line(change, told):
    with pytest.raises(JunkError, match=told):
        read(IDEA, {**IDEA, **change})


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from([*IDEA, *IDMEF, "IP"]), x),
    )
)
def test_any_json_is_an_alert_or_a_fault(row):
    with suppress(JunkError):
        assert all(one.host for one in read(row))
