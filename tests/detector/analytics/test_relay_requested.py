"""Destinations of an app that other apps of its device go to as well."""

from __future__ import annotations

from detector.analytics.relay_requested import requested_locally


def test_shared_destinations_of_the_same_device_count(made):
    for k in range(4):
        made.flow(k, uid=1, package="com.example.vpn", name=f"www.site{k}.example")
    made.flow(9, uid=2, package="com.example.web", name="site0.example")
    made.flow(9, uid=2, package="com.example.web", name="site1.example", device="phone-02")
    made.flow(9, uid=2, package="com.example.web", name="site2.example", inbound=True)
    assert requested_locally(made.telemetry(), ("phone-01", 1, "com.example.vpn")) == 0.25
    assert requested_locally(made.telemetry(), ("phone-01", 7, None)) is None
    assert requested_locally(made.telemetry(), ("phone-01", None, None)) is None
