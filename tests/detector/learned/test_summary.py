"""What is told of a baseline, and of how much of a telemetry it knows."""

from __future__ import annotations

import json
from dataclasses import replace

from detector.baseline import learn
from detector.views import dns_only, no_app


def test_counts_and_categories_are_told_in_plain_values(made):
    for device in ("phone-01", "phone-02"):
        for k in range(10):
            made.flow(8000 * k, device=device, package="app", name=f"d{k}.example", app_proto="tls")
    made.app(1, "app", "tools")
    about = learn(made.telemetry()).summary()
    assert json.loads(json.dumps(about)) == about
    assert {name: about[name] for name in ("devices", "device_days", "apps", "destinations", "pairs")} == {
        "devices": 2,
        "device_days": 2,
        "apps": 1,
        "destinations": 10,
        "pairs": 20,
    }
    (tools,) = about["categories"]
    assert tools == {
        "category": "tools",
        "apps": 1,
        "devices": 2,
        "destinations": 10,
        "contacts_per_day": 1.0,
        "protocols": ["tls"],
        "ports": [443],
    }


def test_how_much_of_a_telemetry_is_known(made):
    made.flow(0, device="phone-01", package="app")
    baseline = learn(made.telemetry())
    made.flow(9, device="phone-02", package="other")
    known = baseline.coverage(made.telemetry())
    assert str(known) == "the baseline knows 1 of 2 devices and 1 of 2 apps"
    assert not known.stranger


def test_another_enterprise_is_a_stranger(made):
    made.flow(0, device="phone-01", package="app")
    other = type(made)()
    other.flow(0, device="phone-09", package="app")
    assert learn(other.telemetry()).coverage(made.telemetry()).stranger
    assert not learn(made.telemetry()).coverage(made.telemetry()).stranger


def test_views_without_apps_are_asked_about_devices_only(made):
    made.lookup(5, "a.example", package="app")
    for narrow in (no_app, dns_only):
        seen = narrow(made.telemetry())
        assert str(learn(seen).coverage(seen)) == "the baseline knows 1 of 1 devices"


def test_a_telemetry_of_nobody_has_nothing_to_know(made):
    made.flow(0, package="app")
    nobody = replace(made.telemetry(), tables={})
    assert learn(made.telemetry()).coverage(nobody).devices == 0
