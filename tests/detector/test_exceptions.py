"""Documented exceptions: what they cover, until when, and how a wrong file is answered."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.contract import SCHEMAS, Finding, Reason, Telemetry, exceptions, microseconds
from detector.exceptions import read_exceptions

SEEN = microseconds("2026-03-02T10:00:00Z")
WHOLE = 'owner = "Blue team"\nreason = "vendor agent"\nexpires = 2026-12-31\n'
FINDING = Finding(
    analytic="AN1793",
    device="phone-01",
    uid=10_001,
    package="com.example.agent",
    peer="cdn.vendor.example",
    first_seen=SEEN - 1_000_000,
    last_seen=SEEN,
    decided_at=SEEN,
    score=0.9,
    alert=True,
    severity="high",
    detector="any",
    detector_version="1",
    reasons=(Reason("clock", 1.0, "below 0.5", 1.0, "regular"),),
)
RELAY = replace(FINDING, analytic="AN1702", peer=None)


def telemetry(*roles):
    row = {"device": "phone-01", "uid": 10_001, "package": "com.example.agent", "sanctioned": False}
    table = pa.Table.from_pylist([{**row, "roles": list(roles)}], schema=SCHEMAS["packages"])
    return Telemetry({"packages": table}, span=(SEEN - 1, SEEN + 1))


@pytest.fixture
def written(tmp_path):
    def write(*bodies, head="[[exception]]\n"):
        path = tmp_path / "known.toml"
        path.write_text("".join(head + body for body in bodies))
        return path

    return write


def judged(path, finding=FINDING, seen=None):
    (one,) = read_exceptions(path).applied([finding], seen or telemetry("vpn")).findings
    return one


def test_what_is_covered_is_informational_keeps_its_score_and_says_by_whose_word(written):
    excused = judged(written(WHOLE + 'package = "com.example.agent"\n'))
    assert (excused.alert, excused.severity, excused.score) == (False, "informational", 0.9)
    assert excused.reasons[0] == FINDING.reasons[0]
    told = excused.reasons[-1]
    assert (told.feature, told.value, told.weight) == ("exception", "Blue team", 0.0)
    assert all(part in told.text for part in ("Blue team", "vendor agent", "2026-12-31"))
    assert Finding.from_json(excused.to_json()) == excused


@pytest.mark.parametrize(
    ("pattern", "finding", "covered"),
    [
        ('device = "phone-*"', FINDING, True),
        ('device = "tablet-*"', FINDING, False),
        ('package = "com.example.*"', FINDING, True),
        ('package = "com.example"', FINDING, False),
        ('package = "*"', replace(FINDING, package=None), False),
        ('role = "vpn"', FINDING, True),
        ('role = "browser"', FINDING, False),
        ('role = "vpn"', replace(FINDING, device="phone-02"), False),
        ('destination = "vendor.example"', FINDING, True),
        ('destination = "*.Vendor.example"', FINDING, True),
        ('destination = "endor.example"', FINDING, False),
        ('destination = "other.example"', FINDING, False),
        ('destination = "*"', RELAY, False),
        ('destination = "2001:db8::*"', replace(FINDING, peer="2001:DB8::1"), True),
        ('package = "com.*"\nanalytic = "AN1702"', FINDING, False),
        ('package = "com.*"\nanalytic = "AN1702"', RELAY, True),
        ('package = "com.*"\ndevice = "tablet-01"', FINDING, False),
    ],
)
def test_every_pattern_must_match_what_the_sensor_shows(written, pattern, finding, covered):
    assert judged(written(WHOLE + pattern + "\n"), finding).alert is not covered


def test_without_an_inventory_a_role_covers_nothing(written):
    path = written(WHOLE + 'role = "*"\n')
    assert not judged(path).alert
    assert judged(path, seen=Telemetry({}, span=(0, 1))).alert


@pytest.mark.parametrize(("day", "holds"), [("2026-03-01", False), ("2026-03-02", True), ("2026-03-03", True)])
def test_the_day_is_that_of_the_telemetry_not_of_a_clock(written, day, holds):
    body = WHOLE.replace("2026-12-31", day) + 'device = "*"\n'
    found = judged(written(body))
    assert found.alert is not holds
    assert found.reasons[-1].feature == ("exception" if holds else "exception_expired")
    assert (found.severity == "high") is not holds


def test_the_first_that_holds_counts_and_the_rest_is_accounted_for(written):
    late = WHOLE.replace("2026", "2025") + 'device = "phone-01"\n'
    path = written(late, WHOLE + 'package = "com.*"\n', WHOLE + 'device = "*"\n', WHOLE + 'device = "none"\n')
    elsewhere = replace(FINDING, package=None, device="phone-02")
    applied = read_exceptions(path).applied([FINDING, elsewhere, FINDING], telemetry())
    assert (applied.used, applied.expired) == ((0, 2, 1, 0), (0, 0, 0, 0))
    assert applied.told() == ["known.toml: exceptions covered 3 of 3 findings; 2 of 4 covered nothing"]


def test_an_expired_one_is_told(written):
    late = WHOLE.replace("2026", "2025") + 'device = "*"\n'
    applied = read_exceptions(written(late)).applied([FINDING], telemetry())
    assert applied.expired == (1,)
    assert "exception 1 has expired; it would have covered 1: vendor agent (owner Blue team" in applied.told()[1]


@given(st.lists(st.sampled_from([FINDING, RELAY, replace(FINDING, alert=False, score=0.4)]), max_size=8))
def test_nothing_is_dropped_reordered_or_raised(tmp_path_factory, findings):
    path = tmp_path_factory.mktemp("x") / "x.toml"
    path.write_text("[[exception]]\n" + WHOLE + 'destination = "*"\n')
    after = read_exceptions(path).applied(findings, telemetry()).findings
    assert [(one.analytic, one.score, one.peer) for one in after] == [
        (one.analytic, one.score, one.peer) for one in findings
    ]
    assert all(not one.alert or before.alert for one, before in zip(after, findings, strict=True))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('reason = "r"\nexpires = 2027-01-01\ndevice = "*"\n', ":1: exception 1: owner: found nothing, expected text"),
        (WHOLE.replace('"vendor agent"', '" "') + 'device = "*"\n', ":3: exception 1: reason: found ' ', expected te"),
        (WHOLE.replace("2026-12-31", '"soon"') + 'device = "*"\n', ":4: exception 1: expires: found 'soon', expected"),
        (WHOLE.replace("31", "31T10:00:00Z") + 'device = "*"\n', ":4: exception 1: expires: found datetime"),
        (WHOLE, "exception 1: device: found no pattern, expected one or more of device, package, role, destination"),
        (WHOLE + 'device = "*"\nanalytic = "AN1"\n', ":6: exception 1: analytic: found 'AN1', expected one of AN1793"),
        (WHOLE + 'device = "*"\npakage = "x"\n', ":6: exception 1: pakage: found an unknown key, expected one of"),
        (WHOLE + 'destination = "x"\nanalytic = "AN1702"\n', ":5: exception 1: destination: found one for AN1702"),
    ],
)
def test_each_fault_is_told_with_file_line_found_and_expected(written, body, told):
    path = written(body)
    with pytest.raises(LookupError) as fault:
        exceptions(path)
    assert not isinstance(fault.value, KeyError | IndexError)
    assert told in str(fault.value)
    assert str(path) in str(fault.value)


def test_all_faults_come_at_once_each_at_its_exception(written):
    with pytest.raises(LookupError) as fault:
        read_exceptions(written(WHOLE, 'device = "*"\n' + WHOLE, 'owner = 3\ndevice = "*"\n'))
    lines = str(fault.value).splitlines()
    assert [line.partition("toml")[2].partition(": found")[0] for line in lines] == [
        ":1: exception 1: device",
        ":11: exception 3: owner",
        ":10: exception 3: reason",
        ":10: exception 3: expires",
    ]


@pytest.mark.parametrize("text", ["", "x = 1\n", "exception = 3\n", "exception = [3]\n", "[[exception]\n", "\0"])
def test_a_file_that_holds_no_exceptions_is_refused(tmp_path, text):
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(LookupError, match=r"known\.toml.*found.*expected"):
        read_exceptions(path)
    with pytest.raises(LookupError, match="no readable file"):
        read_exceptions(tmp_path / "absent.toml")


def test_where_no_line_can_be_known_none_is_claimed(tmp_path):
    path = tmp_path / "known.toml"
    path.write_text("exception = [{owner = 'a'}]\n")
    with pytest.raises(LookupError, match=r"known\.toml: exception 1: reason: found nothing"):
        read_exceptions(path)
