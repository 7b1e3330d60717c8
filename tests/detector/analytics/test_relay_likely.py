"""Windows that cannot score are left out, and none of those that do; devices apart are judged as together."""

from __future__ import annotations

import numpy as np
import pytest

from detector.adapters import builtin
from detector.analytics import relay_blocks
from detector.analytics.relay_measured import measured
from detector.analytics.relay_score import highest, scores
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
SAID = ("streams", "nats", "byte_conservation", "sustained")


def crowded(made, bridge, rng):
    """A bridge each on two phones, beside an app on each of three that speaks with everybody at any time."""
    bridge(uid=10_001, device="phone-01", targets=40)
    bridge(uid=10_001, device="phone-02", targets=40, every=300.0)
    for device in ("phone-01", "phone-02", "phone-03"):
        for start in np.sort(rng.uniform(0, 80_000, 150)):
            peer, up, down = f"198.18.3.{rng.integers(6)}", int(rng.integers(300, 3000)), int(rng.integers(300, 9000))
            flow = made.flow(start, up=up, down=down, server=peer, uid=10_002, device=device)
            made.exchange(flow, start, up, down)
    made.flow(5, lasts_s=50_000, up=90_000, down=90_000, server="198.18.3.9", uid=10_002, device="phone-03")


def rows(found, scored, least):
    """Every window that scores as much, with all its columns."""
    kept = np.flatnonzero(scored >= least)
    return sorted(
        (
            found.device.text(k),
            int(found.uid[k]),
            found.way.text(k),
            int(found.length[k]),
            int(found.begin[k]),
            int(found.first[k]),
            int(found.last[k]),
            *(round(float(found.columns[name][k]), 9) for name in sorted(found.columns)),
        )
        for k in kept
    )


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("least", [0.001, 0.1, 0.35])
def test_no_window_that_scores_enough_is_left_out(made, bridge, rng, exchanges, least):
    crowded(made, bridge, rng)
    if not exchanges:
        del made.rows["exchanges"]
    telemetry = made.telemetry()
    whole, some = measured(telemetry, LIMITS), measured(telemetry, LIMITS, least)
    wanted = rows(whole, scores(whole.columns, LIMITS), least)
    assert wanted
    assert str(rows(some, scores(some.columns, LIMITS), least)) == str(wanted)


def test_windows_that_cannot_score_as_much_are_left_out(made, bridge, rng):
    crowded(made, bridge, rng)
    telemetry = made.telemetry()
    assert len(measured(telemetry, LIMITS)) > 0
    assert len(measured(telemetry, LIMITS, 1.01)) == 0


def test_no_window_scores_more_than_its_highest(made, bridge, rng):
    crowded(made, bridge, rng)
    columns = measured(made.telemetry(), LIMITS).columns
    scored, most = scores(columns, LIMITS), highest({name: columns[name] for name in SAID}, LIMITS)
    assert (scored > 0).any()
    assert (scored <= most + 1e-12).all()


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("at_once", [1, 200])
def test_devices_apart_are_judged_as_together(made, bridge, rng, monkeypatch, at_once, exchanges):
    crowded(made, bridge, rng)
    if not exchanges:
        del made.rows["exchanges"]
    telemetry = made.telemetry()
    whole = measured(telemetry, LIMITS)
    monkeypatch.setattr(relay_blocks, "AT_ONCE", at_once)
    assert len(relay_blocks.Blocks.of(telemetry["flows"], telemetry.tables.get("exchanges"))) == 3
    apart = measured(telemetry, LIMITS)
    assert str(rows(apart, np.ones(len(apart)), 0)) == str(rows(whole, np.ones(len(whole)), 0))


def test_a_second_thread_changes_nothing(made, bridge, rng, monkeypatch):
    crowded(made, bridge, rng)
    telemetry, detector = made.telemetry(), builtin.create("")
    alone = [finding.to_json() for finding in detector.detect(telemetry)]
    monkeypatch.setattr(builtin, "MANY", 1)
    assert any(row["analytic"] == "AN1702" for row in alone)
    assert [finding.to_json() for finding in detector.detect(telemetry)] == alone
