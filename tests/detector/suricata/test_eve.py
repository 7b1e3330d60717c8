"""EVE lines: alerts read and joined, and lines that are none."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.junk import JunkError
from detector.suricata.eve import Alert, alert_of, events, joined, limited

ROW = {
    "timestamp": "2026-03-02T00:00:05.000001+0000",
    "flow_id": 11,
    "event_type": "alert",
    "src_ip": "10.88.0.2",
    "src_port": 40000,
    "dest_ip": "198.18.0.9",
    "dest_port": 443,
    "proto": "TCP",
    "alert": {"gid": 1, "signature_id": 7, "rev": 2, "signature": "m", "severity": 2, "metadata": {"a": ["b"]}},
    "flow": {"start": "2026-03-02T00:00:04.000000+0000"},
}


def read(*rows):
    return [alert_of(*pair) for pair in events(json.dumps(row).encode() for row in rows)]


def test_an_alert_is_read_whole():
    (one,) = read(ROW)
    assert (one.time, one.began) == (1_772_409_605_000_001, 1_772_409_604_000_000)
    assert (one.source, one.source_port, one.target, one.target_port) == ("10.88.0.2", 40000, "198.18.0.9", 443)
    assert (one.proto, one.rule, one.rev, one.message, one.severity) == ("tcp", "1:7", 2, "m", "medium")
    assert one.metadata == {"a": ["b"]}
    hit = one.hit("AN1793", score=0.5, text="t")
    assert (hit.client, hit.server_port, hit.rule, hit.began, hit.score) == ("10.88.0.2", 443, "1:7", one.began, 0.5)


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ({"severity": 1}, "high"),
        ({"severity": 3}, "low"),
        ({"severity": 9}, "informational"),
        ({"severity": 3, "metadata": {"signature_severity": ["Critical"]}}, "high"),
        ({"severity": 1, "metadata": {"signature_severity": ["Informational"]}}, "informational"),
        ({}, "low"),
    ],
)
def test_metadata_outranks_the_priority(told, severity):
    (one,) = read({**ROW, "alert": {"signature_id": 7, **told}})
    assert one.severity == severity


def test_ipv6_icmp_is_icmp_and_needs_no_ports():
    (one,) = read({key: value for key, value in ROW.items() if "port" not in key} | {"proto": "IPv6-ICMP"})
    assert (one.proto, one.source_port) == ("icmp", 0)


def test_an_address_is_spelled_as_in_a_capture():
    (one,) = read({**ROW, "src_ip": "fd00:0000:0000:0000:0000:0000:0000:0005"})  # as Suricata 7 writes it
    assert one.source == "fd00::5"


def test_alerts_of_a_flow_and_rule_are_one_whichever_side_spoke():
    back = {"src_ip": "198.18.0.9", "src_port": 443, "dest_ip": "10.88.0.2", "dest_port": 40000}
    later = {**ROW, **back, "timestamp": "2026-03-02T00:00:09+0000"}
    for rows in ((ROW, later), (later, ROW)):
        for lacking in ((), ("flow_id",)):
            kept = [{key: value for key, value in row.items() if key not in lacking} for row in rows]
            (one,) = joined(read(*kept))
            assert (one.times, one.time, one.last) == (2, 1_772_409_605_000_001, 1_772_409_609_000_000)
    assert len(joined(read(ROW, {**ROW, "flow_id": 12}))) == 2


def test_more_alerts_than_anybody_reads_are_refused():
    with pytest.raises(JunkError, match="found more than 2 alerts"):
        list(limited(read(ROW, ROW, ROW), most=2))
    assert len(list(limited(read(ROW, ROW), most=2))) == 2


@given(st.binary(max_size=120) | st.just(b'{"event_type": "alert"}'))
def test_any_line_is_an_event_or_a_fault(line):
    with suppress(JunkError):
        assert all(isinstance(row["event_type"], str) for _, row in events([line]))


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.sampled_from([*ROW, *ROW["alert"]]), x)
    )
)
def test_any_alert_is_read_or_a_fault(row):
    with suppress(JunkError):
        assert isinstance(alert_of(1, row if isinstance(row, dict) else {}), Alert)
