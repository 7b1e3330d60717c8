import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector import contract
from detector.contract import ANALYTICS, SCHEMAS, Finding, Reason, Telemetry, Unsupported

TIMES = st.integers(min_value=-(10**15), max_value=4 * 10**15)
TEXT = st.text(max_size=20)
UNIT = st.floats(min_value=0, max_value=1)

REASONS = st.builds(
    Reason,
    feature=TEXT,
    value=st.one_of(st.none(), TEXT, st.floats(allow_nan=False, allow_infinity=False)),
    expected=TEXT,
    weight=UNIT,
    text=TEXT,
)


def ordered(first_seen, later, latest, **rest):
    return Finding(**rest, first_seen=min(first_seen, later, latest), last_seen=later, decided_at=latest)


FINDINGS = st.builds(
    ordered,
    analytic=st.sampled_from(ANALYTICS),
    device=TEXT,
    uid=st.one_of(st.none(), st.integers(0, 99999)),
    package=st.one_of(st.none(), TEXT),
    peer=st.one_of(st.none(), TEXT),
    first_seen=TIMES,
    later=TIMES,
    latest=TIMES,
    score=UNIT,
    alert=st.booleans(),
    severity=st.sampled_from(["informational", "low", "medium", "high"]),
    detector=TEXT,
    detector_version=TEXT,
    reasons=st.lists(REASONS, max_size=3).map(tuple),
    partial=st.booleans(),
)


@given(FINDINGS)
def test_a_finding_survives_its_json_line(finding):
    (line,) = contract.write_findings([finding])
    assert "\n" not in line
    assert Finding.from_json(json.loads(line)) == finding


def line(**changes):
    finding = Finding("AN1793", "d", None, None, "p", 1, 2, 3, 0.5, True, "low", "x", "1")
    return finding.to_json() | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"analytic": "AN9"}, "analytic"),
        ({"score": 1.5}, "score"),
        ({"score": float("nan")}, "score"),
        ({"score": "high"}, "score: found 'high', expected a number"),
        ({"alert": "yes"}, "alert"),
        ({"first_seen": "2026-03-02T00:00:00"}, "offset"),
        ({"reasons": [{"weigth": 1}]}, "weigth"),
    ],
)
def test_a_broken_finding_is_refused_with_its_fault(changes, said):
    with pytest.raises(ValueError, match=said):
        Finding.from_json(line(**changes))


@pytest.mark.parametrize("key", ["device", "score", "decided_at", "severity", "detector"])
def test_a_missing_key_is_named(key):
    row = line()
    del row[key]
    with pytest.raises(ValueError, match=key):
        Finding.from_json(row)


@given(TIMES)
def test_times_round_trip(time_us):
    assert contract.microseconds(contract.rfc3339(time_us)) == time_us


def test_a_missing_table_is_unsupported_and_not_empty():
    telemetry = Telemetry({}, span=(0, 1), view="netflow")
    assert "dns" not in telemetry
    with pytest.raises(Unsupported, match=r"netflow.*dns"):
        telemetry["dns"]


def test_unknown_names_answer_with_the_known_ones():
    with pytest.raises(LookupError, match=r"known are .*silent.*did you mean 'builtin'"):
        contract.detector("bultin")
    with pytest.raises(LookupError, match="did you mean 'no-state'"):
        contract.view("nostate")


def test_every_table_has_its_key_first():
    assert {name: schema.names[0] for name, schema in SCHEMAS.items()}["exchanges"] == "flow"
    assert set(SCHEMAS) == {"flows", "exchanges", "dns", "sockets", "device_state", "packages", "http"}
