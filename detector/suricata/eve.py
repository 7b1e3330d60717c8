"""EVE alerts: JSON lines of Suricata read, checked, and made one per flow and rule.

Field names are those of Suricata's etc/schema.json (7 and 9.0.0-dev). Other events are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from detector.addresses import canonical
from detector.contract import microseconds
from detector.junk import JunkError, json_lines, shown
from detector.named_alerts import Hit

MOST = 1_000_000  # alerts: nobody reads as many, and each costs memory
#: By the priority of a rule's class, and by Emerging Threats' metadata signature_severity.
PRIORITIES = {1: "high", 2: "medium", 3: "low"}
SEVERITIES = {"critical": "high", "major": "high", "minor": "medium", "informational": "informational"}


@dataclass(frozen=True)
class Alert:
    """One alert event; times in microseconds since the epoch, ``began`` that of its flow where the event says it."""

    time: int
    source: str
    source_port: int
    target: str
    target_port: int
    proto: str
    flow: object = field(compare=False)  # flow_id, which each run draws anew, or the ends where there is none
    gid: int
    sid: int
    rev: int
    message: str
    severity: str
    metadata: Mapping[str, Sequence[str]] = field(default_factory=dict)
    began: int | None = None
    last: int | None = None
    times: int = 1

    @property
    def rule(self) -> str:
        """Generator and number of its rule."""
        return f"{self.gid}:{self.sid}"

    def hit(self, analytic: str, *, score: float, text: str) -> Hit:
        """The alert as a hit of that analytic."""
        ends = (self.source, self.source_port, self.target, self.target_port, self.proto)
        times: dict[str, Any] = {"began": self.began, "last": self.last, "times": self.times}
        return Hit(analytic, self.time, *ends, score, self.severity, text, self.rule, **times)


def events(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events of EVE lines with their line numbers; JunkError for a line that is no event."""
    for number, line, row in json_lines(lines, "a JSON object of EVE"):
        if not isinstance(row, dict) or not isinstance(row.get("event_type"), str):
            raise JunkError(f"line {number}: found {shown(line)}, expected a JSON object with event_type")
        yield number, row


def alert_of(number: int, row: Mapping[str, Any]) -> Alert:
    """The alert in an event of type alert; JunkError with line, key, found and expected."""
    told = row.get("alert")
    if not isinstance(told, dict):
        raise JunkError(f"line {number}: alert: found {told!r}, expected an object")
    source, target = (canonical(_text(number, row, name)) for name in ("src_ip", "dest_ip"))
    ports = [_whole(number, row, name, 0) for name in ("src_port", "dest_port")]
    proto = _text(number, row, "proto").lower()
    proto = "icmp" if "icmp" in proto else proto
    flow = row.get("flow")
    begin = flow.get("start") if isinstance(flow, dict) else None
    metadata = _metadata(told.get("metadata"))
    return Alert(
        time=_time(number, "timestamp", row.get("timestamp")),
        source=source,
        source_port=ports[0],
        target=target,
        target_port=ports[1],
        proto=proto,
        flow=row.get("flow_id") or (proto, *sorted([(source, ports[0]), (target, ports[1])])),
        gid=_whole(number, told, "gid", 1),
        sid=_whole(number, told, "signature_id", None),
        rev=_whole(number, told, "rev", 0),
        message=str(told.get("signature", "")),
        severity=_severity(metadata, told.get("severity")),
        metadata=metadata,
        began=None if begin is None else _time(number, "flow.start", begin),
    )


def limited(alerts: Iterable[Alert], most: int = MOST) -> Iterator[Alert]:
    """The alerts; JunkError beyond ``most`` of them."""
    for count, alert in enumerate(alerts, 1):
        if count > most:
            raise JunkError(f"found more than {most:,} alerts, expected fewer: nobody could read them")
        yield alert


def joined(alerts: Iterable[Alert]) -> list[Alert]:
    """One alert for each flow and rule: the earliest, with how many there were, by time."""
    found: dict[tuple[object, int, int], Alert] = {}
    for alert in alerts:
        key = (alert.flow, alert.gid, alert.sid)
        before = found.get(key)
        if before is None:
            found[key] = replace(alert, last=alert.time)
            continue
        first = min(before, alert, key=lambda one: one.time)
        last = max(before.last or 0, alert.time)
        found[key] = replace(first, last=last, times=before.times + 1)
    return sorted(found.values(), key=lambda one: (one.time, one.gid, one.sid, one.source, one.source_port))


def _severity(metadata: Mapping[str, Sequence[str]], priority: object) -> str:
    for said in metadata.get("signature_severity", ()):
        if said.lower() in SEVERITIES:
            return SEVERITIES[said.lower()]
    return PRIORITIES.get(priority, "informational") if isinstance(priority, int) else "low"


def _metadata(told: object) -> dict[str, list[str]]:
    """Lists of text, as EVE writes metadata; what is none is left out."""
    if not isinstance(told, dict):
        return {}
    return {str(key): [str(one) for one in value] for key, value in told.items() if isinstance(value, list)}


def _text(number: int, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise JunkError(f"line {number}: {name}: found {value!r}, expected text")
    return value


def _whole(number: int, row: Mapping[str, Any], name: str, default: int | None) -> int:
    value = row.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise JunkError(f"line {number}: {name}: found {value!r}, expected a whole number")
    return value


def _time(number: int, name: str, value: object) -> int:
    try:
        return microseconds(str(value))
    except (ValueError, OverflowError) as fault:
        expected = "a time such as 2026-03-02T00:00:00.000000+0000"
        raise JunkError(f"line {number}: {name}: found {value!r}, expected {expected} ({fault})") from None
