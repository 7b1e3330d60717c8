"""One fault at a time: each is told with its key, what was found and what was expected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.contract import ANALYTICS, Finding
from detector.finding_form import formed

ROW = {
    "analytic": "AN1793",
    "device": "phone-01",
    "uid": 10101,
    "package": None,
    "peer": "a.example",
    "first_seen": "2026-03-02T00:00:01Z",
    "last_seen": "2026-03-02T00:00:02Z",
    "decided_at": "2026-03-02T00:00:03Z",
    "score": 1,
    "alert": True,
    "severity": "low",
    "detector": "mine",
    "detector_version": "1",
}
REASON = {"feature": "f", "value": 1, "expected": "e", "weight": 0.5, "text": "t"}
BEFORE = "2026-03-02T00:00:00Z"


def test_the_row_itself_is_one():
    assert formed(ROW, ANALYTICS) == {**ROW, "reasons": (), "partial": False}
    assert Finding.from_json({**ROW, "input": "x", "reasons": [REASON]}).reasons[0].value == 1
    bare = {key: ROW[key] for key in ROW if key not in {"uid", "package", "peer"}}
    assert (Finding.from_json(bare).uid, Finding.from_json(bare).peer) == (None, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"analytic": ["AN1793"]}, "analytic: found ['AN1793'], expected one of AN1793, AN1702"),
        ({"device": None}, "device: found None, expected text"),
        ({"device": 5}, "device: found 5, expected text"),
        ({"uid": "10101"}, "uid: found '10101', expected a whole number or null"),
        ({"uid": True}, "uid: found True, expected a whole number or null"),
        ({"uid": 1.0}, "uid: found 1.0, expected a whole number or null"),
        ({"package": []}, "package: found [], expected text or null"),
        ({"package": "\ud800"}, "package: found '\\ud800', expected text or null"),
        ({"peer": 5}, "peer: found 5, expected text or null"),
        ({"first_seen": 5}, "first_seen: found 5, expected RFC 3339 text"),
        ({"first_seen": "yesterday"}, "first_seen: found 'yesterday', expected RFC 3339"),
        ({"last_seen": BEFORE}, f"last_seen: found '{BEFORE}', expected no time before first_seen"),
        ({"decided_at": BEFORE}, f"decided_at: found '{BEFORE}', expected no time before first_seen"),
        ({"score": True}, "score: found True, expected a number from 0 to 1"),
        ({"score": "0.5"}, "score: found '0.5', expected a number from 0 to 1"),
        ({"alert": 1}, "alert: found 1, expected true or false"),
        ({"severity": "critical"}, "severity: found 'critical', expected one of informational, low, medium, high"),
        ({"severity": None}, "severity: found None, expected one of"),
        ({"detector_version": 1}, "detector_version: found 1, expected text"),
        ({"partial": "no"}, "partial: found 'no', expected true or false"),
        ({"reasons": {}}, "reasons: found {}, expected a list"),
        ({"reasons": ["why"]}, "reasons, number 1: found 'why', expected an object of feature, value"),
        ({"reasons": [REASON, {**REASON, "weight": None}]}, "reasons, number 2, weight: found None, expected a finite"),
        ({"reasons": [{**REASON, "value": float("inf")}]}, "reasons, number 1, value: found inf, expected a finite"),
        ({"reasons": [{**REASON, "weight": 10**400}]}, "expected a finite number"),
        ({"reasons": [{**REASON, "more": 1}]}, "found ['expected', 'feature', 'more', 'text', 'value', 'weight']"),
    ],
)
def test_each_fault_names_key_found_and_expected(changes, said):
    with pytest.raises(ValueError) as told:
        Finding.from_json({**ROW, **changes})
    assert said in str(told.value)


@pytest.mark.parametrize("key", [key for key in ROW if key not in {"uid", "package", "peer"}])
def test_what_is_missing_is_found_to_be_nothing(key):
    with pytest.raises(ValueError, match=f"^{key}: found nothing, expected "):
        Finding.from_json({name: value for name, value in ROW.items() if name != key})


@pytest.mark.parametrize("row", [[], 3, None, "AN1793"])
def test_what_is_no_object_is_refused(row):
    with pytest.raises(ValueError, match="expected an object"):
        Finding.from_json(row)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([*ROW, "reasons", "partial"]), JSON)
def test_any_value_is_taken_as_it_is_or_refused_with_its_key(key, value):
    said = key
    try:
        json.dumps(Finding.from_json({**ROW, key: value}).to_json(), allow_nan=False)
    except ValueError as fault:
        said = str(fault)
    assert said.startswith((key, "last_seen", "decided_at"))
