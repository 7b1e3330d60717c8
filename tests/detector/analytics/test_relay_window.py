"""One window: gates, set-up evidence, and what attribution makes knowable."""

from __future__ import annotations

from collections import Counter

import pytest

from detector.analytics import relay_window
from detector.contract import detector
from detector.thresholds import BUNDLED


def bridge(made, targets, **who):
    tunnel = made.flow(0, lasts_s=1700, server="198.18.9.9", **who)
    for k in range(40):
        made.exchange(tunnel, 20 + 40 * k, up=0, down=900 + k, delay_s=0.01)
        flow = made.flow(20.2 + 40 * k, up=900 + k, down=7000 + 90 * k, server=f"198.18.1.{k % targets}", **who)
        made.exchange(flow, 20.2 + 40 * k, 900 + k, 7000 + 90 * k)
        made.exchange(tunnel, 20.5 + 40 * k, up=7000 + 90 * k, down=0)


def relays(made):
    return [finding for finding in detector("builtin").detect(made.telemetry()) if finding.analytic == "AN1702"]


def value(finding, name):
    return next(reason.value for reason in finding.reasons if reason.feature == name)


def test_one_destination_needs_set_up_evidence(made):
    bridge(made, targets=1, uid=10_001)
    assert relays(made) == []
    made.add(
        "sockets", time=5_000_000, device="phone-01", uid=10_001, event="listen", proto="tcp", local_address="0.0.0.0"
    )
    (finding,) = relays(made)
    assert value(finding, "setup") == 1


@pytest.mark.parametrize("socket", [{"uid": 10_002}, {"local_address": "127.0.0.1"}, {"event": "connect"}])
def test_other_sockets_are_no_set_up(made, socket):
    bridge(made, targets=9, uid=10_001)
    row = {"time": 5_000_000, "device": "phone-01", "uid": 10_001, "event": "listen", "local_address": "0.0.0.0"}
    made.add("sockets", **{**row, **socket})
    (finding,) = relays(made)
    assert value(finding, "setup") == 0


def test_without_apps_spread_is_unknown_and_counts_half(made):
    bridge(made, targets=9)
    (finding,) = relays(made)
    assert value(finding, "fan_out") is None
    assert value(finding, "stack_diversity") is None
    assert finding.score > 0.5


def test_a_bridge_of_seconds_is_not_sustained(made):
    bridge(made, targets=9, uid=10_001)
    (whole,) = relays(made)
    late = [row for row in made.rows["flows"] if row["start"] > 100e6]
    made.rows["flows"] = [row for row in made.rows["flows"] if row not in late]
    made.rows["exchanges"] = [row for row in made.rows["exchanges"] if row["start"] <= 100e6]
    assert all(finding.score < whole.score / 2 and not finding.alert for finding in relays(made))


def test_allowed_destinations_are_not_relayed_to(made, tmp_path):
    bridge(made, targets=9, uid=10_001)
    listed = ", ".join(f'"198.18.1.{k}"' for k in range(9))
    path = tmp_path / "mine.toml"
    path.write_text(BUNDLED.read_text().replace("AllowedDestinationList = []", f"AllowedDestinationList = [{listed}]"))
    assert len(relays(made)) == 1
    found = detector(f"builtin:{path}").detect(made.telemetry())
    assert [finding for finding in found if finding.analytic == "AN1702"] == []


def test_no_window_is_judged_by_more_than_the_largest_anchors(made, monkeypatch, tmp_path):
    """Forty allowed peers that each carry as much as the rest: the case in which conservation spares none of them."""
    for peer in range(40):
        made.flow(10, lasts_s=1000, up=50_000 + peer, down=50_000 + peer, server=f"198.18.2.{peer}", uid=10_001)
    for k in range(20):
        made.flow(20 + 40 * k, up=2500, down=2500, server=f"198.18.1.{k}", uid=10_001)
    listed = ", ".join(f'"198.18.2.{k}"' for k in range(40))
    path = tmp_path / "mine.toml"
    path.write_text(BUNDLED.read_text().replace("AllowedDestinationList = []", f"AllowedDestinationList = [{listed}]"))
    judged, real = [], relay_window._judge
    monkeypatch.setattr(
        relay_window,
        "_judge",
        lambda anchor, window, view: judged.append(window.limits_us) or real(anchor, window, view),
    )
    list(detector(f"builtin:{path}").detect(made.telemetry()))
    assert set(Counter(judged).values()) == {relay_window.MOST_ANCHORS}
    judged.clear()
    list(detector("builtin").detect(made.telemetry()))
    assert max(Counter(judged).values(), default=0) <= 20, (
        "of peers not allowed, none below a twentieth of all bytes is looked at"
    )
