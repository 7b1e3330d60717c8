import numpy as np
import pytest

from detector.measures import measured
from detector.parity import TOLERANCES
from detector.thresholds import BUNDLED, load_thresholds

LIMITS = load_thresholds(BUNDLED)


def polled(made, period_s=60.0, count=60, **values):
    made.span_s = 3_600
    made.app(10101, "com.example.torch", "tools")
    named = {"name": "c2.vendor.example", "name_from": "sni", "app_proto": "tls", "package": "com.example.torch"}
    made.polls(np.arange(count) * period_s + 5, uid=10101, **named, **values)
    for minute in range(0, 60, 5):
        made.state(minute * 60.0, locked=bool(minute % 10))
    return made.telemetry()


def test_a_group_is_measured_in_seconds_and_bytes(made):
    (one,) = measured(polled(made), LIMITS)
    assert one.key == ("AN1793", "phone-01", "com.example.torch", "vendor.example", False)
    assert one.values["contacts"] == 60
    assert one.values["gap_s_median"] == one.values["gap_s_q25"] == 60.0
    assert (one.values["up_bytes_median"], one.values["down_bytes_sum"]) == (900, 60 * 4200)
    assert one.values["interval_regularity"] == pytest.approx(1.0)
    assert one.protocols == ("tls",)


def test_innocent_groups_are_measured_too_and_verdicts_are_those_of_the_findings(made, rng):
    made.polls(np.sort(rng.uniform(0, 3_000, 12)), server="198.18.0.77", uid=10102, package="com.example.news")
    found = {one.package: one for one in measured(polled(made), LIMITS)}
    assert found["com.example.torch"].alert
    assert not found["com.example.news"].alert
    assert found["com.example.news"].score < found["com.example.torch"].score


def test_too_few_contacts_are_no_group(made):
    assert measured(polled(made, count=3), LIMITS) == []


def test_a_proxy_is_measured_by_its_requests(made):
    asked = {"app_proto": "socks5", "proxy": "socks5", "proxy_server": "server", "proxy_granted": True}
    who = {"uid": 10101, "package": "com.example.torch"}
    for k in range(3):
        made.flow(100 * k, inbound=True, client="198.18.0.50", proxy_target="a.example:443", **asked, **who)
    (one,) = measured(made.telemetry(), LIMITS)
    assert (one.analytic, one.protocols, one.alert) == ("AN1702", ("socks5",), True)
    assert (one.values["proxy_requests"], one.values["granted"]) == (3, 1)


def test_a_bridge_is_measured_by_its_worst_window_and_every_value_has_a_tolerance(made):
    who = {"uid": 10101, "package": "com.example.torch"}
    tunnel = made.flow(0, lasts_s=1_700, up=90_000, down=90_000, **who)
    for k in range(20):
        began = 80.0 * k + 10
        made.exchange(tunnel, began, 5_000, 5_000)
        stream = made.flow(began + 0.2, server=f"198.18.1.{k}", up=5_000, down=5_000, lasts_s=2, **who)
        made.exchange(stream, began + 0.3, 5_000, 5_000)
    for minute in range(0, 60, 5):
        made.state(minute * 60.0, locked=bool(minute % 10))
    found = {one.analytic: one for one in measured(made.telemetry(), LIMITS)}
    values = found["AN1702"].values
    assert values["streams"] == 20
    assert values["byte_conservation"] > 0.9
    assert {name for one in found.values() for name in one.values} <= set(TOLERANCES)
    worst = found["AN1702"]
    assert all(worst.values[name] == value for name, value in worst.windows[worst.window].items())
    assert max(worst.windows.values(), key=lambda one: one["streams"])["streams"] == 20
