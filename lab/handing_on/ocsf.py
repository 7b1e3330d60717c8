"""OCSF events: network_activity (4001) of every flow, detection_finding (2004) of every finding, one JSON a line.

Names and numbers of classes, activities and attributes as in OCSF 1.9.0-dev (facts beside this project); type_uid is
class_uid * 100 + activity_id (from memory). Nothing of the truth is in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from detector.contract import ATTACK_VERSION, Finding
from lab.handing_on.labelled import Labelled
from lab.handing_on.source import Part, Source, json_lines

VERSION = "1.9.0-dev"
NETWORK_ACTIVITY, DETECTION_FINDING = 4001, 2004
TRAFFIC, CREATE = 6, 1  # activities
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
#: severity_id of OCSF: 1 Informational, 2 Low, 3 Medium, 4 High.
SEVERITIES = {"informational": 1, "low": 2, "medium": 3, "high": 4}
INBOUND, OUTBOUND = 1, 2
#: Mobile ATT&CK: each analytic's technique, its tactic Command and Control.
TECHNIQUES: Mapping[str, tuple[str, str]] = {
    "AN1793": ("T1437", "Application Layer Protocol"),
    "AN1702": ("T1604", "Proxy Through Victim"),
}
TACTIC = ("TA0037", "Command and Control")


def parts(source: Source) -> Iterator[Part]:
    """network_activity.jsonl, and detection_finding.jsonl where findings were given."""
    if source.flows:
        yield Part("network_activity.jsonl", json_lines([network_activity(one) for one in source.flows]))
    if source.findings:
        yield Part("detection_finding.jsonl", json_lines([detection_finding(one) for one in source.findings]))


def network_activity(one: Labelled) -> dict[str, Any]:
    """A flow as the traffic of one connection."""
    flow = one.flow
    inbound = bool(flow["inbound"])
    connection = {
        "uid": one.uid,
        "protocol_name": flow["proto"],
        "protocol_num": PROTOCOLS.get(flow["proto"], int(flow["proto"]) if flow["proto"].isdigit() else None),
        "direction_id": INBOUND if inbound else OUTBOUND,
    }
    counts = {"bytes_out": flow["bytes_up"], "bytes_in": flow["bytes_down"]}
    counts |= {"packets_out": flow["packets_up"], "packets_in": flow["packets_down"]}
    device = {"name": flow["device"], "type_id": 5}  # 5: Mobile
    return present(
        {
            **_head(NETWORK_ACTIVITY, 4, TRAFFIC, flow["start"]),
            "severity_id": 1,
            "start_time": flow["start"] // 1000,
            "end_time": flow["end"] // 1000,
            "duration": (flow["end"] - flow["start"]) // 1000,
            "device": device,
            "src_endpoint": {"ip": flow["client"], "port": flow["client_port"]},
            "dst_endpoint": {"ip": flow["server"], "port": flow["server_port"], "hostname": flow["name"]},
            "connection_info": connection,
            "traffic": counts,
            "app_name": flow["package"],
            "tls": {"sni": flow["sni"], "alpn": flow["alpn"]},
            "ja4_fingerprint_list": [{"type_id": 1, "type": "JA4", "value": flow["ja4"]}] if flow["ja4"] else None,
            "unmapped": {"app_proto": flow["app_proto"], "uid": flow["uid"]},
        }
    )


def detection_finding(finding: Finding) -> dict[str, Any]:
    """A finding: an alert, or a near miss (is_alert false)."""
    technique, name = TECHNIQUES[finding.analytic]
    attack = {
        "version": ATTACK_VERSION,
        "tactic": {"uid": TACTIC[0], "name": TACTIC[1]},
        "technique": {"uid": technique, "name": name},
    }
    analytic = {"uid": finding.analytic, "name": finding.detector, "version": finding.detector_version, "type_id": 1}
    told = [reason.text for reason in finding.reasons]
    info = {
        "uid": finding_uid(finding),
        "title": f"{finding.analytic} {name}: {finding.device}",
        "desc": " ".join(told),
        "analytic": analytic,
        "attacks": [attack],
        "created_time": finding.decided_at // 1000,
        "first_seen_time": finding.first_seen // 1000,
        "last_seen_time": finding.last_seen // 1000,
    }
    return present(
        {
            **_head(DETECTION_FINDING, 2, CREATE, finding.decided_at),
            "severity_id": SEVERITIES[finding.severity],
            "status_id": 1,
            "is_alert": finding.alert,
            "confidence_score": round(finding.score * 100),
            "finding_info": info,
            "evidences": [{"dst_endpoint": _peer(finding.peer), "data": vars(reason)} for reason in finding.reasons],
            "resources": [{"name": finding.device, "type": "Mobile device"}],
            "unmapped": {"package": finding.package, "uid": finding.uid, "partial": finding.partial},
        }
    )


def finding_uid(finding: Finding) -> str:
    """The same for the same detector's word on the same analytic, device, app and peer from the same moment on."""
    who = (finding.detector, finding.analytic, finding.device, finding.uid, finding.peer, finding.first_seen)
    return hashlib.sha256(repr(who).encode()).hexdigest()[:32]


def _peer(peer: str | None) -> dict[str, Any] | None:
    if peer is None:
        return None
    return {"ip" if ":" in peer or peer.replace(".", "").isdigit() else "hostname": peer}


def _head(kind: int, category: int, activity: int, time_us: int) -> dict[str, Any]:
    product = {"name": "droidrange", "vendor_name": "droidrange"}
    whose = {"metadata": {"version": VERSION, "product": product}, "time": time_us // 1000}
    return {
        "class_uid": kind,
        "category_uid": category,
        "activity_id": activity,
        "type_uid": kind * 100 + activity,
    } | whose


def present(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without what is not known, nulls; an object or list of which nothing is left goes too."""
    return {name: one for name, one in ((key, _present(one)) for key, one in event.items()) if _says(one)}


def _says(value: Any) -> bool:
    return value is not None and value not in ({}, [])


def _present(value: Any) -> Any:
    if isinstance(value, Mapping):
        return present(value)
    return [_present(one) for one in value] if isinstance(value, list) else value
