"""Foreign alerts and whom they are about: app and peer of the flow they speak of, in either direction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.contract import Finding, Telemetry, Unsupported
from detector.named_alerts import Hit, alerted
from detector.signature import Signature

US = 1_000_000
WHO = Signature("suricata:x", "7", partial=False)
HIT = Hit(
    analytic="AN1793",
    time=100 * US,
    client="10.88.0.2",
    client_port=40_000,
    server="198.18.0.9",
    server_port=443,
    proto="tcp",
    score=1.0,
    severity="medium",
    text="a rule",
    rule="sid 1",
)
BACK = {"client": "198.18.0.9", "client_port": 443, "server": "10.88.0.2", "server_port": 40_000}


def found(telemetry, *hits):
    return list(alerted(telemetry, hits, WHO))


@pytest.mark.parametrize("turned", [{}, BACK])
def test_a_hit_is_named_by_its_flow_whichever_side_sent_the_packet(made, turned):
    made.flow(100, name="a.vendor.example", uid=10_001, package="com.example.x")
    (one,) = found(made.telemetry(), replace(HIT, **turned))
    assert (one.device, one.uid, one.package, one.peer) == ("phone-01", 10_001, "com.example.x", "a.vendor.example")
    assert (one.first_seen, one.decided_at, one.score, one.alert) == (100 * US, 100 * US, 1.0, True)
    assert [reason.feature for reason in one.reasons] == ["rule"]
    assert Finding.from_json(one.to_json()) == one


def test_ports_used_again_are_told_by_time(made):
    for start, uid in ((100, 1), (200, 2), (300, 3)):
        made.flow(start, lasts_s=50, uid=uid)
    hits = [replace(HIT, time=time * US) for time in (120, 151, 199, 260, 340)]
    by_uid = {one.uid: (one.first_seen // US, one.last_seen // US) for one in found(made.telemetry(), *hits)}
    assert by_uid == {1: (120, 151), 2: (199, 199), 3: (340, 340), None: (260, 260)}


@pytest.mark.parametrize(
    "other", [{"proto": "udp"}, {"client_port": 40_001}, {"server": "198.18.0.8"}, {"time": 103 * US}]
)
def test_a_hit_that_joins_no_flow_is_told_by_address_and_says_so(made, other):
    made.flow(100, uid=10_001, package="com.example.x")
    (one,) = found(made.telemetry(), replace(HIT, **other))
    assert (one.device, one.uid, one.package) == ("phone-01", None, None)
    assert one.peer == other.get("server", "198.18.0.9")
    assert one.alert
    assert [reason.feature for reason in one.reasons] == ["rule", "unattributed"]


def test_strangers_are_told_by_address(made):
    made.flow(100)
    (one,) = found(made.telemetry(), replace(HIT, client="203.0.113.1", server="203.0.113.2"))
    assert (one.device, one.peer) == ("203.0.113.1", "203.0.113.2")


def test_one_finding_for_each_rule_app_and_peer(made):
    for start, uid, name in ((100, 1, "a.example"), (200, 1, "b.example"), (300, 2, "a.example")):
        made.flow(start, lasts_s=50, uid=uid, name=name)
    hits = [replace(HIT, time=time * US, score=time / 1000) for time in (149, 101, 201, 301)]
    hits.append(replace(HIT, time=102 * US, rule="sid 2"))
    rows = found(made.telemetry(), *hits)
    told = {(one.uid, one.peer, one.reasons[0].value): one for one in rows}
    assert len(rows) == len(told) == 4
    first = told[1, "a.example", "sid 1"]
    assert (first.first_seen, first.last_seen, first.decided_at) == (101 * US, 149 * US, 101 * US)
    assert first.score == 0.149
    assert "2 times" in first.reasons[0].text


def test_a_look_up_speaks_of_the_domain_asked_for(made):
    made.lookup(100, "k7f3.c2.zone.example", qtype="TXT", uid=10_001)
    hit = replace(HIT, server="198.18.0.53", server_port=53, proto="udp")
    (one,) = found(made.telemetry(), hit)
    assert (one.peer, one.uid) == ("zone.example", 10_001)


def test_relaying_has_no_peer_and_blames_who_was_dialled(made):
    number = made.flow(100, device="phone-01", uid=1)
    made.flow(100, flow=number, device="phone-02", inbound=True, uid=2)
    (relay,) = found(made.telemetry(), replace(HIT, analytic="AN1702"))
    (poll,) = found(made.telemetry(), HIT)
    assert (relay.device, relay.peer) == ("phone-02", None)
    assert (poll.device, poll.peer) == ("phone-01", "198.18.0.9")


def test_near_misses_do_not_decide(made):
    made.flow(100, lasts_s=50)
    near = replace(HIT, alert=False, score=0.2, value=3.0, expected="fewer than 9", severity="high")
    (one,) = found(made.telemetry(), near, replace(HIT, time=120 * US, score=0.5, value=9.0, expected="fewer than 9"))
    assert (one.alert, one.decided_at, one.first_seen, one.severity) == (True, 120 * US, 100 * US, "medium")
    assert [(reason.feature, reason.value) for reason in one.reasons] == [("rule", "sid 1"), ("matches", 9.0)]
    (quiet,) = found(made.telemetry(), near)
    assert not quiet.alert


def test_without_flows_nobody_can_be_named():
    with pytest.raises(Unsupported, match="has no table 'flows'"):
        found(Telemetry({}, span=(0, 1)), HIT)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.integers(0, 400), max_size=30))
def test_no_hit_is_lost_whatever_its_time(made, times):
    made.rows.clear()
    for start, uid in ((100, 1), (200, 2)):
        made.flow(start, lasts_s=50, uid=uid)
    rows = found(made.telemetry(), *(replace(HIT, time=time * US, rule=str(k)) for k, time in enumerate(times)))
    assert sorted(int(one.reasons[0].value) for one in rows) == list(range(len(times)))
