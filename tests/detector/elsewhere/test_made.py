"""Files of other tools about a telemetry: named by its flows, and refused where they are about another."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from detector.contract import ANALYTICS, Finding, Unsupported, detector
from detector.contract import view as view_named
from detector.fenced import Failed

US = 1_000_000
EVE = {
    "timestamp": "1970-01-01T00:01:40.000000+0000",
    "flow_id": 5,
    "event_type": "alert",
    "src_ip": "198.18.0.9",
    "src_port": 443,
    "dest_ip": "10.88.0.2",
    "dest_port": 40000,
    "proto": "TCP",
    "alert": {
        "signature_id": 7,
        "signature": "polls",
        "severity": 1,
        "metadata": {"mitre_technique_id": ["T1437"], "signature_severity": ["Minor"]},
    },
}
RITA = "Severity,Source IP,Destination IP,FQDN,Beacon Score\nHigh,10.88.0.2,,a.example,90%\n"
IDEA = {
    "Format": "IDEA0",
    "EventTime": "1970-01-01T00:01:40Z",
    "Source": [{"IP4": ["10.88.0.2"]}],
    "Target": [{"IP4": ["198.18.0.9"]}],
}


@pytest.fixture
def telemetry(made):
    made.flow(100, name="a.example", uid=10_001, package="com.example.x")
    return made.telemetry()


@pytest.fixture
def found(tmp_path):
    """The findings of a file with those lines."""

    def found(telemetry, *lines, argument=""):
        path = tmp_path / "said"
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return list(detector(f"findings:{path}{argument}").detect(telemetry))

    return found


@pytest.mark.parametrize(
    ("lines", "argument", "severity", "alert"),
    [
        ([EVE], "", "medium", True),
        ([EVE, {"event_type": "stats", "timestamp": "x"}, EVE], "", "medium", True),
        ([RITA], "", "high", True),
        ([IDEA], "?analytic=AN1793", "medium", True),
    ],
)
def test_alerts_of_every_form_are_named_by_the_flow(telemetry, found, lines, argument, severity, alert):
    (one,) = found(telemetry, *lines, argument=argument)
    assert (one.analytic, one.device, one.package, one.peer) == ("AN1793", "phone-01", "com.example.x", "a.example")
    assert (one.severity, one.alert, one.first_seen) == (severity, alert, 100 * US)
    assert Finding.from_json(one.to_json()) == one
    assert one.detector.startswith("findings:")


def test_alerts_of_one_flow_and_rule_are_one_hit(telemetry, found):
    later = {**EVE, "timestamp": "1970-01-01T00:01:41.000000+0000"}
    other = {**EVE, "alert": {**EVE["alert"], "signature_id": 8}}
    rows = found(telemetry, EVE, later, other)
    assert [(one.reasons[0].value, one.last_seen // US) for one in rows] == [("1:7", 101), ("1:8", 100)]


def test_a_file_about_another_recording_is_refused(telemetry, found):
    for line, argument in ((RITA.replace("10.88.0.2", "10.88.0.3"), ""), ({**EVE, "src_port": 444}, "")):
        with pytest.raises(Failed, match=r"said: found no flow for any of 1 alerts.*about another recording"):
            found(telemetry, line, argument=argument)
    (one, stray) = found(telemetry, EVE, {**EVE, "flow_id": 6, "src_port": 444})
    assert {one.package, stray.package} == {"com.example.x", None}


def finding(telemetry, **changes):
    known = {"analytic": "AN1793", "device": "phone-01", "uid": 10_001, "package": "com.example.x", "peer": "a.example"}
    times = {"first_seen": 100 * US, "last_seen": 100 * US, "decided_at": 100 * US}
    rest = {"score": 1.0, "alert": True, "severity": "high", "detector": "mine", "detector_version": "1"}
    return Finding(**{**known, **times, **rest, **changes}).to_json()


def test_our_own_form_is_taken_as_it_is(telemetry, found):
    rows = [finding(telemetry), finding(telemetry, device="10.88.0.2", package=None, uid=None)]
    assert [one.to_json() for one in found(telemetry, *rows)] == rows


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"device": "phone-09"}, "finding 2: found device 'phone-09'"),
        ({"package": "com.other"}, "finding 2: found package 'com.other'"),
        (
            {"last_seen": 9 * 86_400 * US, "first_seen": 9 * 86_400 * US, "decided_at": 9 * 86_400 * US},
            "finding 2: found 1970-01-10",
        ),
        ({"partial": True}, "finding 2: drawn from partial evidence"),
    ],
)
def test_a_finding_about_another_recording_is_refused(telemetry, found, change, told):
    with pytest.raises(Failed, match=told):
        found(telemetry, finding(telemetry), finding(telemetry, **change))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{broken", "said: line 2: no finding"),
        ('{"analytic": "AN1"}', "said: line 2: no finding .*found 'AN1', expected one of AN1793, AN1702"),
    ],
)
def test_a_line_that_is_no_finding_is_named(telemetry, found, line, told):
    with pytest.raises(Failed, match=told):
        found(telemetry, finding(telemetry), line)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"alert": None}, "line 2: alert: found None, expected an object"),
        ({"src_ip": 7}, "line 2: src_ip: found 7, expected text"),
        ({"src_port": "x"}, "line 2: src_port: found 'x', expected a whole number"),
        ({"timestamp": "now"}, "line 2: timestamp: found 'now', expected a time such as"),
        ({"event_type": 5}, "line 2: found .*expected a JSON object with event_type"),
        ({"alert": {"signature_id": 7}}, 'sid 7 "": found no technique.*add metadata:droidrange_analytic AN1793'),
    ],
)
def test_an_alert_that_is_none_is_named(telemetry, found, change, told):
    with pytest.raises(Failed, match=told):
        found(telemetry, EVE, {**EVE, "flow_id": 99, **change})


def test_what_a_tool_does_not_say_is_said_by_the_argument(telemetry, found):
    quiet = {**EVE, "alert": {"signature_id": 7}}
    (one,) = found(telemetry, quiet, argument="?analytic=AN1702")
    assert (one.analytic, one.peer) == ("AN1702", None)
    with pytest.raises(Failed, match="do not say what they are about"):
        found(telemetry, IDEA)


def test_an_empty_file_is_silence_and_judges_both(telemetry, tmp_path):
    path = tmp_path / "said"
    path.write_text("")
    one = detector(f"findings:{path}")
    assert list(one.detect(telemetry)) == []
    assert one.judges(telemetry) == ANALYTICS
    assert detector(f"findings:{path}?analytic=AN1793").judges(telemetry) == ("AN1793",)
    path.write_text(RITA)
    assert detector(f"findings:{path}").judges(telemetry) == ("AN1793",)
    assert detector(f"findings:{path}").version != one.version


def test_a_view_without_flows_names_nobody(telemetry, found):
    with pytest.raises(Unsupported, match="view dns-only"):
        found(view_named("dns-only")(telemetry), EVE)


def test_a_folder_has_a_file_for_each_capture_by_its_hash(telemetry, tmp_path):
    import hashlib

    capture = tmp_path / "capture.pcap"
    capture.write_bytes(b"packets")
    digest = hashlib.sha256(b"packets").hexdigest()
    folder = tmp_path / "said"
    folder.mkdir()
    seen = replace(telemetry, capture=capture)
    (folder / "0123456789abcdef.json").write_text("junk about another capture")
    with pytest.raises(Unsupported, match=rf"found no file named {digest[:12]}"):
        list(detector(f"findings:{folder}").detect(seen))
    (folder / f"{digest[:16]}.eve.json").write_text(json.dumps(EVE))
    assert [one.package for one in detector(f"findings:{folder}").detect(seen)] == ["com.example.x"]
    (folder / f"{digest}.jsonl").write_text("")
    with pytest.raises(Unsupported, match="found 2 files"):
        list(detector(f"findings:{folder}").detect(seen))
    with pytest.raises(Unsupported, match="told by the capture's hash"):
        list(detector(f"findings:{folder}").detect(telemetry))


@pytest.mark.parametrize("argument", ["", "nowhere.jsonl"])
def test_a_place_that_is_none_is_refused(argument):
    with pytest.raises(LookupError, match=r"detector findings: found .*expected findings:FILE or findings:FOLDER"):
        detector(f"findings:{argument}")
