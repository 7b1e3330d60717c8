"""What surrounds relaying: whose sockets, whose requests, and what a baseline makes of destinations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.relay_measured import measured
from detector.baseline import learn
from detector.features.baseline_deviation import KNOWN
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay


def column(telemetry, name):
    found = measured(telemetry, LIMITS)
    gateway = np.array([found.way.text(k) == "198.18.9.9" for k in range(len(found))])
    return found.columns[name][gateway & (found.length == 1_800_000_000)]


@pytest.mark.parametrize(
    ("socket", "seen"),
    [
        ({}, 0.5),
        ({"event": "accept"}, 0.5),
        ({"event": "raw"}, 0.5),
        ({"uid": 10_002}, 0.0),
        ({"device": "phone-02"}, 0.0),
        ({"local_address": "127.0.0.1"}, 0.0),
        ({"event": "connect"}, 0.0),
        ({"time": 80_000_000_000}, 0.0),
    ],
)
def test_sockets_of_the_app_within_the_time_window_are_set_up(made, bridge, socket, seen):
    bridge(uid=10_001)
    row = {"time": 5_000_000, "device": "phone-01", "uid": 10_001, "event": "listen", "local_address": "0.0.0.0"}
    made.add("sockets", **{**row, **socket})
    assert (column(made.telemetry(), "setup_evidence") == seen).all()


def test_a_request_to_relay_is_the_strongest_set_up(made, bridge):
    bridge(uid=10_001)
    made.rows["flows"][0] |= {"proxy": "socks5", "proxy_server": "client"}
    assert (column(made.telemetry(), "setup_evidence") == 1).all()


@pytest.mark.parametrize(("locked", "share"), [(True, 1.0), (False, 0.0)])
def test_use_of_the_device_is_read_at_each_burst(made, bridge, locked, share):
    bridge(uid=10_001)
    made.state(-3600, locked=locked, foreground=None if locked else 10_001)
    assert column(made.telemetry(), "unattended_share").tolist() == [share]


def test_a_baseline_makes_known_destinations_less_of_a_fan_out_and_not_none(made, bridge):
    bridge(uid=10_001, package="com.example.torch")
    telemetry = made.telemetry()
    past = replace(telemetry, tables={**telemetry.tables})
    known = replace(telemetry, baseline=learn(past))
    assert np.isnan(column(telemetry, "novelty")).all()
    unlearned, left = column(telemetry, "fan_out"), column(known, "fan_out")
    assert (unlearned > 0.5).all()
    assert ((left > 0) & (left < unlearned)).all()
    for name in ("novelty", "way_new"):
        assert column(known, name) == pytest.approx(KNOWN + (1 - KNOWN) / 2), "one day of its own"


def test_a_baseline_of_others_leaves_them_new(made, bridge):
    made.flow(0, uid=10_001, package="com.example.torch", name="vendor.example")
    learned = learn(made.telemetry())
    made.rows.clear()
    bridge(uid=10_001, package="com.example.torch")
    assert (column(replace(made.telemetry(), baseline=learned), "novelty") == 1).all()
