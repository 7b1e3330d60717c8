"""One window: gates, set-up evidence, spread, and what attribution makes knowable."""

from __future__ import annotations

import pytest

from detector.contract import detector
from detector.thresholds import BUNDLED


def relays(made):
    return [finding for finding in detector("builtin").detect(made.telemetry()) if finding.analytic == "AN1702"]


def value(finding, name):
    return next(reason.value for reason in finding.reasons if reason.feature == name)


def test_one_destination_needs_set_up_evidence(made, bridge):
    bridge(targets=1, uid=10_001)
    assert relays(made) == []
    made.add(
        "sockets", time=5_000_000, device="phone-01", uid=10_001, event="listen", proto="tcp", local_address="0.0.0.0"
    )
    (finding,) = relays(made)
    assert value(finding, "setup_evidence") == 0.5


def test_without_apps_spread_is_unknown_and_counts_half(made, bridge):
    bridge(targets=9)
    (finding,) = relays(made)
    assert value(finding, "fan_out") is None
    assert value(finding, "stack_diversity") is None
    assert finding.alert


def test_clients_and_open_flows_are_counted(made, bridge):
    bridge(targets=9, every=10.0, uid=10_001)
    for k, row in enumerate(made.rows["flows"][1:]):
        row |= {"ja4": f"t13d{k % 3}", "end": row["start"] + 35_000_000}
    (finding,) = relays(made)
    assert value(finding, "stack_diversity") == pytest.approx(0.4)
    assert value(finding, "concurrency") == pytest.approx(0.774, abs=0.001)


def test_a_bridge_of_seconds_is_not_sustained(made, bridge):
    bridge(targets=9, uid=10_001)
    (whole,) = relays(made)
    made.rows["flows"].clear()
    made.rows["exchanges"].clear()
    bridge(targets=9, uid=10_001, every=1.0)
    assert all(finding.score < whole.score / 2 and not finding.alert for finding in relays(made))


def test_allowed_destinations_are_not_relayed_to(made, bridge, tmp_path):
    bridge(targets=9, uid=10_001)
    listed = ", ".join(f'"198.18.1.{k}"' for k in range(9))
    path = tmp_path / "mine.toml"
    path.write_text(BUNDLED.read_text().replace("AllowedDestinationList = []", f"AllowedDestinationList = [{listed}]"))
    assert len(relays(made)) == 1
    found = detector(f"builtin:{path}").detect(made.telemetry())
    assert [finding for finding in found if finding.analytic == "AN1702"] == []
