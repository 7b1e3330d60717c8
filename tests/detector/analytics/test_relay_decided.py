"""The moment of decision: the first at which it fires, by cutting and not by guessing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.analytics.relay_decided import decided, moments, of_app
from detector.analytics.traffic_relay import measured, scores, traffic_relay
from detector.baseline import learn
from detector.signature import Signature
from detector.thresholds import load_thresholds
from detector.until import until

LIMITS = load_thresholds().relay
BY = Signature("builtin", "test", partial=False)
APP = {"uid": 10_007, "package": "com.example.torch"}


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


def bridged(made, begin_s, streams, _every_s):
    """A tunnel asks now and then."""
    made.bridge(begin_s, streams=streams, **APP)


def granted(made, begin_s, streams, every_s):
    """Somebody of the local network asks as often, is answered two seconds later, and stays for long."""
    who = {"client": "10.88.0.77", "server": "10.88.0.2", "server_port": 1080, "inbound": True}
    said = {"proxy": "connect", "proxy_server": "server", "proxy_granted": True, "proxy_target": "x.example:443"}
    for k in range(streams):
        start = begin_s + every_s * k
        flow = made.flow(start, lasts_s=600, **who, **said, **APP)
        made.exchange(flow, start + 1, 90, 40, delay_s=1)
        made.exchange(flow, start + 4, 500, 900, delay_s=1)


def quiet(made, begin_s, _streams, _every_s):
    made.polls(begin_s + 300.0 * np.arange(40), name="www.torch.example", **APP)


@pytest.mark.parametrize("act", [bridged, granted])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begin_s=st.integers(0, 9000),
    streams=st.integers(12, 40),
    every_s=st.sampled_from([47.0, 90.0, 200.0]),
    learned=st.booleans(),
)
def test_cut_where_it_was_decided_it_alerts_and_cut_a_stream_earlier_it_does_not(
    made, act, begin_s, streams, every_s, learned
):
    """With a past of which something else was learned, and without one."""
    today, days = type(made)(), type(made)()
    act(today, begin_s, streams, every_s)
    quiet(days, 30, 0, 0)
    telemetry = replace(today.telemetry(), baseline=learn(days.telemetry()) if learned else None)
    (whole,) = traffic_relay(telemetry, LIMITS, BY)
    assert whole.alert, "control: there is something to decide"
    (then,) = traffic_relay(until(telemetry, whole.decided_at), LIMITS, BY)
    assert then.alert
    times = moments(of_app(telemetry, ("phone-01", APP["uid"], APP["package"])))
    known = times[times < whole.decided_at]
    stream = max(row["start"] for row in today.rows["flows"] if row["start"] < whole.decided_at)
    for cut in (*known[-1:].tolist(), stream - 1):
        assert not any(one.alert for one in traffic_relay(until(telemetry, cut), LIMITS, BY))
