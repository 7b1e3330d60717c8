"""Rules with a count: near misses graded, and the rules written again with another count."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.contract import Origin, detector
from detector.suricata.counted import window
from detector.suricata.graded import graded, settled
from detector.suricata.rules import parsed, read_rules, sids

ORIGIN = Origin("suite x\nseeds", "2026-11-22", (1, 2), 0.001, 2000.0)
COUNT = 'alert tcp $HOME_NET any -> any 443 (msg:"d"; flags:S; threshold:type both, track by_both, count {}, seconds 14400; metadata:mitre_technique_id T1437; sid:1;)'
PLAIN = 'alert tcp any any -> any 443 (msg:"p"; flags:S; sid:2;)'


@pytest.mark.tools
def test_matches_from_half_the_count_on_are_near_misses(engine, telemetry, ruled):
    def worth(count):
        rules = ruled(COUNT.format(count))
        return sorted((hit.value, hit.alert, round(hit.score, 3)) for hit in graded(rules, {1: "AN1793"}, telemetry))

    most = worth(1)[-1][0]
    assert most > 10
    assert worth(int(2 * most) + 1) == []
    (near,) = {worth(int(most) + 1)[-1]}
    assert near == (most, False, round(most / (2 * most + 1), 3))
    assert graded(ruled(PLAIN), {2: "AN1793"}, telemetry) == []


@pytest.mark.tools
def test_the_adapter_alerts_at_its_count_and_says_how_far_it_came(engine, telemetry, tmp_path):
    path = tmp_path / "x.rules"
    path.write_text(COUNT.format(12) + "\n")
    one = detector(f"suricata:{path}")
    (knob,) = one.knobs
    assert (knob.name, knob.value, knob.analytic) == ("1.count", 12.0, "AN1793")
    found = list(one.detect(telemetry))
    (alert, *_) = [finding for finding in found if finding.alert]
    deciding = one.deciding(alert)
    assert deciding >= 12
    assert alert.score == pytest.approx(deciding / (deciding + 12))
    for finding in found:
        again = one.deciding(finding)
        assert (again >= 12) == finding.alert
    made = one.tuned({"1.count": deciding - 0.5}, ORIGIN)
    strict = tmp_path / f"strict{made.suffix}"
    strict.write_text(made.content)
    (other,) = [finding for finding in detector(f"suricata:{strict}").detect(telemetry) if finding.alert][:1]
    assert (other.package, other.peer) == (alert.package, alert.peer)
    made = one.tuned({"1.count": deciding + 0.5}, ORIGIN)
    strict.write_text(made.content)
    packages = {finding.package for finding in detector(f"suricata:{strict}").detect(telemetry) if finding.alert}
    assert alert.package not in packages
    with pytest.raises(LookupError, match=r"unknown knob 2\.count"):
        one.tuned({"2.count": 3.0}, ORIGIN)


def test_rules_written_again_say_what_they_are_about_and_whence_their_count(tmp_path):
    rules = [parsed(Path("x.rules"), 1, COUNT.format(24)), parsed(Path("x.rules"), 2, PLAIN)]
    path = tmp_path / "y.rules"
    path.write_text(settled(rules, {1: 31}, {1: "AN1793", 2: "AN1702"}, ORIGIN))
    first, *_ = path.read_text().splitlines()
    assert first == "# droidrange tune, 2026-11-22: budget 0.001 a device-day, suite x seeds"
    again = read_rules(path)
    assert [window(rule).count if window(rule) else None for rule in again] == [31, None]
    assert [rule.analytic(None) for rule in sids(again).values()] == ["AN1793", "AN1702"]
    assert again[0].options != rules[0].options
    assert [one for one in again[0].options if one[0] != "threshold"] == [
        one for one in rules[0].options if one[0] != "threshold"
    ]
