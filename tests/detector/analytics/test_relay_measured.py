"""The columns of a telemetry: windows of several lengths, NaN for unknown, the same whatever stands beside."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.relay_measured import measured
from detector.analytics.relay_score import scores
from detector.contract import SCHEMAS, Telemetry, Unsupported
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay


def best(made):
    found = measured(made.telemetry(), LIMITS)
    row = int(np.argmax(scores(found.columns, LIMITS)))
    return found, {name: float(column[row]) for name, column in found.columns.items()}


def test_a_bridge_is_measured_in_windows_of_every_length(made, bridge):
    bridge(uid=10_001)
    found, row = best(made)
    assert sorted(set((found.length // 60_000_000).tolist())) == [30, 360, 1440]
    assert {found.way.text(k) for k in range(len(found))} >= {"198.18.9.9"}
    assert (row["streams"], row["paired"], row["pairing_lift"]) == (40, 40, 1)
    assert row["byte_conservation"] == pytest.approx(1)
    assert row["bridge_correlation"] > 0.9
    assert all(len(column) == len(found) for column in found.columns.values())


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_one_factor_of_padding_or_compression_conserves(made, bridge, factor):
    bridge(uid=10_001, factor=factor)
    assert best(made)[1]["byte_conservation"] == pytest.approx(1, abs=0.01)


def test_what_the_sensor_cannot_tell_is_nan(made, bridge):
    bridge()
    _, row = best(made)
    unknown = {name for name, value in row.items() if np.isnan(value)}
    alone = {"fan_out", "stack_diversity"}
    assert unknown == alone | {
        "novelty",
        "anew",
        "past_bridge",
        "turned",
        "way_new",
        "unattended_share",
        "setup_evidence",
        "nearby",
    }


def test_without_exchanges_moments_are_unknown(made, bridge):
    bridge(uid=10_001)
    del made.rows["exchanges"]
    _, row = best(made)
    timed = {"nats", "paired", "pairing_lift", "size_agreement", "bridge_correlation", "bounded_difference"}
    assert all(np.isnan(row[name]) for name in timed)
    assert row["byte_conservation"] > 0.9


def test_another_app_beside_changes_nothing(made, bridge, rng):
    bridge(uid=10_001)
    _, alone = best(made)
    for start in np.sort(rng.uniform(0, 80_000, 200)):
        made.exchange(made.flow(start, uid=10_002, server=f"198.18.3.{rng.integers(9)}"), start, 900, 4200)
    _, beside = best(made)
    assert beside == pytest.approx(alone, nan_ok=True)


def test_nothing_to_judge_is_no_window_and_no_flows_is_unsupported():
    nothing = Telemetry({"flows": SCHEMAS["flows"].empty_table()}, span=(0, 86_400_000_000))
    assert len(measured(nothing, LIMITS)) == 0
    with pytest.raises(Unsupported):
        measured(Telemetry({}, span=(0, 1)), LIMITS)
