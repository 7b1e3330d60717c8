"""The adapter of Suricata: its arguments, whom its alerts are about, and that every one of them is accounted for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from detector.contract import Unsupported, detector, open_telemetry
from detector.contract import view as view_named
from detector.fenced import Failed
from detector.suricata.engine import look
from detector.suricata.rules import read_rules
from detector.views import VIEWS
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages import play

EXAMPLES = Path(__file__).parents[3] / "examples" / "rules"
pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suricata") / "rec"
    play("wire", compile_scenario(load_scenario(find_scenario("smoke-poll")), 7), folder)
    return open_telemetry(folder / "telemetry")


@pytest.fixture
def named():
    """The detector of an argument; skipped, saying so, without Suricata."""

    def named(argument):
        try:
            return detector(f"suricata:{argument}")
        except Unsupported as fault:
            pytest.skip(str(fault))

    return named


def test_every_alert_of_suricata_is_in_a_finding(named, telemetry, tmp_path):
    path = tmp_path / "x.rules"
    path.write_text('alert tcp any any -> any 443 (msg:"d"; flags:S; metadata:mitre_technique_id T1437; sid:1;)\n')
    found = list(named(path).detect(telemetry))
    times = [re.search(r": (?:(\d+) times, )?first at", one.reasons[0].text)[1] for one in found]
    raw = look(read_rules(path), telemetry, whole=True)
    assert sum(int(text or 1) for text in times) == len(raw) > 20
    flows = telemetry["flows"].select(["device", "package", "name", "server_port"]).to_pylist()
    there = {(row["device"], row["package"], row["name"]) for row in flows if row["server_port"] == 443}
    assert {(one.device, one.package, one.peer) for one in found} == there
    assert all(one.alert and one.score == 1.0 for one in found)


def test_the_examples_find_the_poll_and_say_why(named, telemetry):
    one = named(EXAMPLES)
    found = list(one.detect(telemetry))
    assert found == list(one.detect(telemetry))
    (alert,) = [finding for finding in found if finding.alert]
    assert alert.package == "com.orchard.torchlight"
    assert "dial-count.rules, line 5" in alert.reasons[0].text
    assert [knob.name for knob in one.knobs] == ["1000005.count"]


@pytest.mark.parametrize("sensor", [*VIEWS])
def test_views_with_packets_run_it_and_others_do_not(named, telemetry, sensor):
    one, narrowed = named(EXAMPLES), view_named(sensor)(telemetry)
    if sensor in ("full", "no-decryption", "no-state", "no-app"):
        assert one.judges(narrowed) == ("AN1793", "AN1702")
        found = [finding for finding in one.detect(narrowed) if finding.alert]
        assert {finding.package for finding in found} == ({None} if sensor == "no-app" else {"com.orchard.torchlight"})
        return
    with pytest.raises(Unsupported, match=f"view {sensor} shows none here; views that do: full"):
        one.judges(narrowed)
    with pytest.raises(Unsupported):
        list(one.detect(narrowed))


def test_analytics_are_those_of_the_rules(named, telemetry, tmp_path):
    assert named(EXAMPLES / "socks-greeting.rules").judges(telemetry) == ("AN1702",)
    path = tmp_path / "x.rules"
    path.write_text('alert tcp any any -> any 443 (msg:"d"; flags:S; sid:1;)\n')
    with pytest.raises(LookupError, match=r"x.rules, line 1, sid 1: found no technique.*\?analytic=AN1793"):
        named(path)
    assert {finding.peer for finding in named(f"{path}?analytic=AN1702").detect(telemetry)} == {None}


def test_two_counting_rules_of_an_analytic_are_no_knob(named, tmp_path):
    text = (EXAMPLES / "dial-count.rules").read_text()
    path = tmp_path / "x.rules"
    path.write_text(text + text.replace("sid:1000005", "sid:9"))
    assert named(path).knobs == ()
    path.write_text(text + text.replace("sid:1000005", "sid:9").replace("T1437", "T1604"))
    assert [(knob.name, knob.analytic) for knob in named(path).knobs] == [
        ("1000005.count", "AN1793"),
        ("9.count", "AN1702"),
    ]


@pytest.mark.parametrize("argument", ["", "nowhere.rules", "nowhere.rules?analytic=AN1"])
def test_a_wrong_argument_is_refused(argument):
    with pytest.raises(LookupError, match=r"found .*expected"):
        detector(f"suricata:{argument}")


def test_another_rule_is_another_version_and_a_broken_one_fails(named, telemetry, tmp_path):
    path = tmp_path / "x.rules"
    path.write_text((EXAMPLES / "dns-txt.rules").read_text())
    assert named(path).version == named(EXAMPLES / "dns-txt.rules").version
    before = named(path).version
    path.write_text(path.read_text().replace("distance:2", "distanse:2"))
    assert named(path).version != before
    with pytest.raises(Failed, match=r"x.rules, line 4: Suricata does not load this rule: unknown rule keyword"):
        list(named(path).detect(telemetry))


def test_findings_of_partial_evidence_say_so(named, telemetry):
    found = list(named(EXAMPLES).detect(replace(telemetry, partial="cut")))
    assert Counter(one.partial for one in found)[False] == 0 < len(found)
