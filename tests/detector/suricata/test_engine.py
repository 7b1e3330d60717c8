"""Suricata on a capture: what it must prove before its alerts count, and every way in which it does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry, Unsupported
from detector.fenced import Failed
from detector.suricata import engine as engine_module
from detector.suricata.engine import home, installed, look

pytestmark = pytest.mark.tools
DIAL = 'alert tcp any any -> any 443 (msg:"d"; flags:S; metadata:mitre_technique_id T1437; sid:{sid};)'
GOOD = DIAL.format(sid=1)


def flows_to_443(telemetry):
    rows = telemetry["flows"].select(["client", "client_port", "server_port"]).to_pylist()
    return Counter((row["client"], row["client_port"]) for row in rows if row["server_port"] == 443)


def test_every_flow_is_told_once_with_its_ends(engine, telemetry, ruled):
    found = look(ruled(GOOD), telemetry)
    assert Counter((one.source, one.source_port) for one in found) == flows_to_443(telemetry)
    assert {(one.target_port, one.proto, one.sid, one.times) for one in found} == {(443, "tcp", 1, 1)}
    assert found == look(ruled(GOOD), telemetry)
    every = look(ruled(GOOD.replace("flags:S;", "flags:A;")), telemetry)
    assert Counter((one.source, one.source_port) for one in every) == flows_to_443(telemetry)
    assert min(one.times for one in every) > 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('alert tcp any any -> any any (msg:"x"; nosuchword; sid:2;)', "unknown rule keyword 'nosuchword'"),
        ('alert tcp any any -> any any (msg:"x"; sid:2;) and more', "no terminating"),
        ("no rule at all", "no rule options"),
        ('alert tcp $NOWHERE any -> any any (msg:"x"; sid:2;)', "NOWHERE"),
        ('alert tcp any any -> any any (msg:"x"; lua:x.lua; sid:2;)', "Lua rules disabled"),
        (GOOD, "Duplicate signature"),
    ],
)
def test_a_rule_that_is_not_loaded_is_named_by_file_and_line(engine, telemetry, ruled, line, why):
    rules = ruled("# a comment", GOOD, "", line, DIAL.format(sid=3))
    with pytest.raises(Failed, match=rf"x\.rules, line 4: Suricata does not load this rule: .*{why}"):
        look(rules, telemetry)


def test_several_broken_rules_are_told_together(engine, telemetry, ruled):
    broken = [DIAL.format(sid=n).replace("flags", "flogs") for n in range(2, 7)]
    with pytest.raises(Failed, match=r"line 2: .*line 3: .*line 4: .*\(and 2 more\)"):
        look(ruled(GOOD, *broken), telemetry)


def test_a_rule_skipped_in_silence_is_no_rule_that_found_nothing(engine, telemetry, ruled):
    rules = ruled(GOOD, DIAL.format(sid=2).replace("flags:S;", "flags:S; requires: version >= 99;"))
    with pytest.raises(Failed, match=r"loaded 1 of 2 rules \(0 failed, 1 skipped\).*x\.rules, line 2"):
        look(rules, telemetry)


def test_a_capture_cut_in_a_packet_or_between_two_is_no_evidence(engine, telemetry, ruled, tmp_path):
    whole = telemetry.capture.read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:-7])
    with pytest.raises(Failed, match="truncated dump file"):
        look(ruled(GOOD), replace(telemetry, capture=cut))
    known = replace(telemetry, capture=cut, packets=telemetry.packets - 1, partial="cut")
    assert look(ruled(GOOD), known)
    last = int.from_bytes(
        whole[24 + 8 : 24 + 12], "little"
    )  # drop the first packet: nothing is damaged, one is missing
    cut.write_bytes(whole[:24] + whole[24 + 16 + last :])
    with pytest.raises(Failed, match=rf"read {telemetry.packets - 1:,} packets of the capture, expected"):
        look(ruled(GOOD), replace(telemetry, capture=cut))


@pytest.mark.parametrize(
    ("place", "name"),
    [("tcp", "ssn_memcap_drop"), ("tcp", "segment_memcap_drop"), ("flow", "memcap"), ("flow", "emerg_mode_entered")],
)
def test_traffic_left_uninspected_for_want_of_memory_is_no_evidence(engine, telemetry, ruled, monkeypatch, place, name):
    """The counters are Suricata's own; that one of them is not 0 is put in, as small captures fill no memory."""
    read = engine_module.events

    def events(lines):
        for number, row in read(lines):
            if row["event_type"] == "stats":
                assert row["stats"][place][name] == 0
                row["stats"][place][name] = 3
            yield number, row

    monkeypatch.setattr(engine_module, "events", events)
    with pytest.raises(Failed, match=rf"ran out of memory and left traffic uninspected: {place}\.{name} 3"):
        look(ruled(GOOD), telemetry)


def test_a_capture_without_packets_tries_the_rules_all_the_same(engine, telemetry, ruled, tmp_path):
    path = tmp_path / "none.pcap"
    path.write_bytes(telemetry.capture.read_bytes()[:24])
    nothing = replace(telemetry, capture=path, packets=0)
    assert look(ruled(GOOD), nothing) == []
    with pytest.raises(Failed, match="line 1"):
        look(ruled(GOOD.replace("flags", "flogs")), nothing)


def test_a_list_beside_the_rules_is_loaded_and_one_elsewhere_is_not(engine, telemetry, ruled, tmp_path):
    import base64

    rows = telemetry["flows"].select(["sni"]).to_pylist()
    name = next(row["sni"] for row in rows if row["sni"])
    (tmp_path / "names.lst").write_text(base64.b64encode(name.encode()).decode() + "\n")
    rule = "alert tls any any -> any any (tls.sni; dataset:isset,names,type string,load {}; sid:1;)"
    found = look(ruled(rule.format("names.lst")), telemetry)
    assert len(found) == sum(row["sni"] == name for row in rows)
    with pytest.raises(Failed, match="line 1"):
        look(ruled(rule.replace("load {}", "save kept.lst")), telemetry)
    with pytest.raises(Failed, match="line 1"):
        look(ruled(rule.format(tmp_path / "names.lst")), telemetry)


def program(folder, body):
    folder.mkdir(exist_ok=True)
    path = folder / "suricata"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(folder)


@pytest.fixture
def anew():
    """The search for Suricata is made again, here and afterwards."""
    installed.cache_clear()
    yield
    installed.cache_clear()


SAYS = 'if [ "$1" = -V ]; then echo "This is Suricata version 7.0.10 RELEASE"; exit; fi; '


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('echo "This is Suricata version 6.0.10 RELEASE"', "expected Suricata 7 or later"),
        ("exit 1", "expected Suricata 7 or later"),
    ],
)
def test_another_suricata_is_unsupported(anew, tmp_path, monkeypatch, body, told):
    monkeypatch.setenv("PATH", program(tmp_path / "bin", body))
    with pytest.raises(Unsupported, match=told):
        installed()


def test_no_suricata_is_unsupported_with_how_to_install_it(anew, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="found no suricata on PATH; install it: apt-get install suricata"):
        installed()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("kill -SEGV $$", "ended with code 139"),
        ("exit 0", "has no stats of packets and rules"),
        ("echo junk > eve.json", "eve.json: line 1: found 'junk'"),
        ("echo junk > log.json", "log has"),
        ('echo \'{"event_type": "alert"}\' > eve.json', "line 1: alert: found None, expected an object"),
    ],
)
def test_a_suricata_that_crashes_or_says_junk_has_failed(anew, telemetry, ruled, tmp_path, monkeypatch, body, told):
    monkeypatch.setenv("PATH", program(tmp_path / "bin", SAYS + body), prepend=":")
    with pytest.raises(Failed, match=told):
        look(ruled(GOOD), telemetry)


def test_home_is_private_networks_and_monitored_devices():
    rows = [
        {"inbound": False, "client": "10.88.0.2", "server": "198.18.0.1"},
        {"inbound": False, "client": "2001:db8:1:2::5", "server": "2001:db8::9"},
        {"inbound": True, "client": "198.18.0.1", "server": "203.0.113.5"},
    ]
    flows = pa.Table.from_pylist([{**dict.fromkeys(SCHEMAS["flows"].names), **row} for row in rows], SCHEMAS["flows"])
    found = home(Telemetry({"flows": flows}, span=(0, 1)))
    assert [one for one in found if one not in engine_module.HOME] == ["2001:db8:1:2::/64", "203.0.113.5"]


def test_without_packets_it_is_unsupported(ruled):
    with pytest.raises(Unsupported, match="view netflow"):
        look(ruled(GOOD), Telemetry({}, span=(0, 1), view="netflow"))
