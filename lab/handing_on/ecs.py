"""Elastic Common Schema documents, one JSON a line: a flow each, and an alert or near miss for each finding.

Field names as in ECS 9.5.0-dev (facts beside this project). The app is ``package``, which ECS has for software.
Nothing of the truth is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from detector.contract import Finding, rfc3339
from lab.handing_on.labelled import Labelled
from lab.handing_on.ocsf import PROTOCOLS, SEVERITIES, TACTIC, TECHNIQUES, finding_uid, present
from lab.handing_on.source import Part, Source, json_lines

VERSION = "9.5.0-dev"
#: What flows speak, as ECS's network.protocol would have it, where it differs.
_PROTOCOL = {"connect": "http", "socks4": "socks", "socks4a": "socks", "socks5": "socks"}


def parts(source: Source) -> Iterator[Part]:
    """flows.ndjson, and alerts.ndjson where findings were given."""
    if source.flows:
        yield Part("flows.ndjson", json_lines([flow_document(one) for one in source.flows]))
    if source.findings:
        yield Part("alerts.ndjson", json_lines([alert_document(one) for one in source.findings]))


def flow_document(one: Labelled) -> dict[str, Any]:
    """A flow; network.bytes and packets are both directions together, and payload."""
    flow = one.flow
    sides = {"source": ("client", "up"), "destination": ("server", "down")}
    ends = {
        name: {
            "ip": flow[end],
            "address": flow[end],
            "port": flow[f"{end}_port"],
            "bytes": flow[f"bytes_{way}"],
            "packets": flow[f"packets_{way}"],
        }
        for name, (end, way) in sides.items()
    }
    ends["destination"]["domain"] = flow["name"]
    network = {
        "type": "ipv6" if ":" in flow["client"] else "ipv4",
        "iana_number": str(PROTOCOLS.get(flow["proto"], flow["proto"])),
        "transport": flow["proto"] if flow["proto"] in PROTOCOLS else None,
        "protocol": _PROTOCOL.get(flow["app_proto"], flow["app_proto"]),
        "direction": "ingress" if flow["inbound"] else "egress",
        "bytes": _both(flow["bytes_up"], flow["bytes_down"]),
        "packets": _both(flow["packets_up"], flow["packets_down"]),
    }
    event: dict[str, Any] = {"kind": "event", "category": ["network"], "type": ["connection", "end"], "id": one.uid}
    event |= {"start": rfc3339(flow["start"]), "end": rfc3339(flow["end"])}
    event["duration"] = (flow["end"] - flow["start"]) * 1000  # nanoseconds
    document = {"event": event, "network": network, **ends, "host": {"name": flow["device"]}, **_spoken(flow)}
    return present({**_head(flow["end"]), **document})


def _spoken(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Whose flow it is, and what was readable in it."""
    return {
        "package": {"name": flow["package"]},
        "user": {"id": None if flow["uid"] is None else str(flow["uid"])},
        "tls": {"client": {"server_name": flow["sni"], "ja4": flow["ja4"]}, "next_protocol": flow["alpn"]},
        "http": {"request": {"method": flow["method"]}},
        "url": {"domain": flow["host"]},
        "user_agent": {"original": flow["user_agent"]},
    }


def alert_document(finding: Finding) -> dict[str, Any]:
    """A finding; event.kind is ``alert`` of an alert, ``event`` of a near miss."""
    technique, name = TECHNIQUES[finding.analytic]
    event: dict[str, Any] = {
        "kind": "alert" if finding.alert else "event",
        "category": ["intrusion_detection"],
        "type": ["info"],
    }
    event |= {"id": finding_uid(finding), "severity": SEVERITIES[finding.severity], "risk_score": finding.score * 100}
    event |= {"start": rfc3339(finding.first_seen), "end": rfc3339(finding.last_seen)}
    threat = {
        "framework": "MITRE ATT&CK",
        "tactic": {"id": [TACTIC[0]], "name": [TACTIC[1]]},
        "technique": {"id": [technique], "name": [name]},
    }
    rule = {"id": finding.analytic, "name": finding.detector, "version": finding.detector_version}
    document = {
        "event": event,
        "message": " ".join(reason.text for reason in finding.reasons),
        "rule": rule,
        "threat": threat,
        "host": {"name": finding.device},
        "package": {"name": finding.package},
        "user": {"id": None if finding.uid is None else str(finding.uid)},
        "destination": {"address": finding.peer},
    }
    return present({**_head(finding.decided_at), **document})


def _head(time_us: int) -> dict[str, Any]:
    observer = {"vendor": "droidrange", "product": "droidrange", "type": "sensor"}
    return {"@timestamp": rfc3339(time_us), "ecs": {"version": VERSION}, "observer": observer}


def _both(up: int | None, down: int | None) -> int | None:
    return None if up is None or down is None else up + down
