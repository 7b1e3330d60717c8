"""OCSF: every flow and finding once, what the classes require, nulls nowhere, and no truth."""

import json
import re

import pytest

from lab.handing_on.ocsf import PROTOCOLS, SEVERITIES, parts

#: What OCSF requires of every event, and of the two classes, as the facts beside this project and our memory have it.
REQUIRED = {"class_uid", "category_uid", "activity_id", "type_uid", "severity_id", "time", "metadata"}
OF_CLASS = {4001: {"dst_endpoint", "src_endpoint", "connection_info", "traffic"}, 2004: {"finding_info"}}


@pytest.fixture(scope="module")
def events(judged):
    return {
        part.name.partition(".")[0]: [json.loads(line) for line in part.content.splitlines()] for part in parts(judged)
    }


def everything(value):
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(one)


def test_events_have_what_their_class_requires(events):
    assert events.keys() == {"network_activity", "detection_finding"}
    for event in [one for rows in events.values() for one in rows]:
        assert event.keys() >= REQUIRED | OF_CLASS[event["class_uid"]]
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000
        assert all(one is not None and one not in ({}, []) for one in everything(event))


def test_flows_are_counted_as_the_telemetry_counts_them(judged, events):
    rows = {one.uid: one.flow for one in judged.flows}
    assert len(rows) == len(events["network_activity"]) == len(judged.flows)
    for event in events["network_activity"]:
        flow = rows[event["connection_info"]["uid"]]
        counts = {"bytes_out": "bytes_up", "bytes_in": "bytes_down", "packets_out": "packets_up"}
        assert {one: event["traffic"][one] for one in counts} == {one: flow[name] for one, name in counts.items()}
        assert event["connection_info"]["protocol_num"] == PROTOCOLS[flow["proto"]]
        assert event["end_time"] - event["start_time"] - event["duration"] in (0, 1)
        assert event["src_endpoint"] == {"ip": flow["client"], "port": flow["client_port"]}
        assert event.get("app_name") == flow["package"]


def test_findings_say_what_they_said(judged, events):
    rows = events["detection_finding"]
    assert [row["is_alert"] for row in rows] == [one.alert for one in judged.findings]
    assert [row["severity_id"] for row in rows] == [SEVERITIES[one.severity] for one in judged.findings]
    assert [len(row.get("evidences", [])) for row in rows] == [len(one.reasons) for one in judged.findings]
    assert len({row["finding_info"]["uid"] for row in rows}) == len(rows)
    assert {row["finding_info"]["attacks"][0]["technique"]["uid"] for row in rows} <= {"T1437", "T1604"}
    peers = [
        evidence["dst_endpoint"] for row in rows for evidence in row.get("evidences", []) if "dst_endpoint" in evidence
    ]
    assert {tuple(one) for one in peers} <= {("ip",), ("hostname",)}
    assert peers


def test_without_findings_there_are_flows_alone(handed):
    assert [part.name for part in parts(handed)] == ["network_activity.jsonl"]


def test_no_truth_is_told(handed):
    text = next(parts(handed)).content.decode()
    assert not re.search(r"Malicious|Benign|AN1793|http-poll|incident|label", text)
