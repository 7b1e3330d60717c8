"""The moment of decision: the first at which it fires, by cutting and not by guessing."""

from __future__ import annotations

import pytest

from detector.analytics.relay_decided import decided, moments, of_app
from detector.analytics.traffic_relay import measured, scores, traffic_relay
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
BY = Signature("builtin", "test", partial=False)


def five(made, count=50):
    for k in range(count):
        made.flow(10 * k, lasts_s=1)
    return made.telemetry()


@pytest.mark.parametrize("wanted", [1, 5, 6, 17, 33, 50])
def test_the_first_moment_that_fires_is_found(made, wanted):
    telemetry = five(made)
    found = decided(telemetry, lambda then: then["flows"].num_rows >= wanted)
    assert found == moments(telemetry)[wanted - 1]


def test_what_never_fires_is_never_decided(made):
    assert decided(five(made), lambda _then: False) is None


def test_one_app_is_cut_out_with_what_its_device_tells(made):
    made.exchange(made.flow(0, uid=1), 0, 1, 1)
    made.exchange(made.flow(1, uid=2), 1, 1, 1)
    made.flow(2, uid=1, device="phone-02")
    made.state(0, locked=True)
    made.state(0, locked=True, device="phone-02")
    alone = of_app(made.telemetry(), ("phone-01", 1, None))
    assert [alone[name].num_rows for name in ("flows", "exchanges", "device_state")] == [1, 1, 1]


def dozen(made, begin_s):
    """A tunnel asks a dozen times."""
    made.bridge(begin_s, streams=12, lasts_s=700, uid=10_007, package="com.example.torch")


def loading(made, begin_s, until_s, rng):
    """Flows of the same app that have nothing to do with its tunnel."""
    for start in sorted(rng.uniform(begin_s, until_s, 500)):
        flow = made.flow(
            start, lasts_s=5, up=900, down=9000, name="cdn.example", uid=10_007, package="com.example.torch"
        )
        made.exchange(flow, start, 900, 9000)


def test_nothing_is_decided_before_it_was_seen(made, rng):
    """Innocent traffic takes down the window that had fired; the app fires again hours later."""
    dozen(made, 30)
    (early,) = traffic_relay(made.telemetry(), LIMITS, BY)
    loading(made, 800, 1790, rng)
    dozen(made, 50_000)
    (found,) = traffic_relay(made.telemetry(), LIMITS, BY)
    assert found.alert
    assert (found.first_seen, found.decided_at) == (early.first_seen, early.decided_at)
    later = [row for row, score in windows(made) if score >= LIMITS.threshold]
    assert later
    assert min(later) > found.decided_at, "control: at the end of the day nothing of the morning reaches the threshold"


def windows(made):
    judged = measured(made.telemetry(), LIMITS)
    return zip(judged.first.tolist(), scores(judged.columns, LIMITS).tolist(), strict=True)
