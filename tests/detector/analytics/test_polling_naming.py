"""How destinations were named and spoken to, and what this sensor cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.command_polling import measured
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
SECURE = {"app_proto": "tls", "sni": "a.site.example", "name": "a.site.example"}


def columns(made):
    """Every factor of the group that is called most often."""
    found = measured(made.telemetry(), LIMITS)
    best = int(np.argmax(found.columns["contacts"]))
    return {name: column[best] for name, column in found.columns.items()}


def test_a_sensor_without_sni_cannot_miss_it(made):
    made.polls(60.0 * np.arange(9), app_proto="tls")
    assert np.isnan(columns(made)["no_sni"])
    made.flow(1, app_proto="tls", sni="x.example", name="x.example", server="198.18.0.1")
    found = columns(made)
    assert found["no_sni"] == 1
    assert np.isnan(found["never_resolved"]), "no look-ups were recorded"


@pytest.mark.parametrize(("server", "odd"), [("192.168.1.4", 0), ("198.18.0.9", 1), ("198.18.0.1", 0)])
def test_only_addresses_of_the_internet_need_a_look_up(made, server, odd):
    made.lookup(1, "x.example", answers=("198.18.0.1",))
    made.polls(60.0 * np.arange(9), server=server)
    assert columns(made)["never_resolved"] == odd


@pytest.mark.parametrize(("asked", "odd"), [("b.site.example", 0), ("hidden.bad.example", 1)])
def test_a_name_other_than_the_answered_one_is_odd(made, asked, odd):
    made.lookup(5, asked, answers=("198.18.0.9",))
    made.polls(60.0 * np.arange(9), **SECURE)
    assert columns(made)["other_name"] == odd


def test_what_another_device_asked_says_nothing_of_a_name_this_one_had_cached(made):
    """Two sites behind one address: phone-01 knew its own before the recording began, phone-02 asks for the other."""
    made.polls(60.0 * np.arange(9), **SECURE)
    made.lookup(5, "else.example", answers=("198.18.0.9",), device="phone-02")
    made.flow(6, server="198.18.0.9", name="else.example", device="phone-02")
    assert np.isnan(columns(made)["other_name"])
    made.lookup(7, "else.example", answers=("198.18.0.9",))
    assert columns(made)["other_name"] == 1, "control: it asked for the other itself"
    made.lookup(8, "b.site.example", answers=("198.18.0.9",), device="phone-02")
    assert columns(made)["other_name"] == 0, "whoever asked, the name does belong to the address"


@pytest.mark.parametrize(("host", "share"), [("b.site.example", 0), ("hidden.bad.example", 1), ("bad.example:443", 1)])
def test_a_front_is_told_by_decrypted_requests_only(made, host, share):
    made.polls(60.0 * np.arange(9), **SECURE)
    assert np.isnan(columns(made)["fronted"])
    for k in range(9):
        where = {"client": "10.88.0.2", "client_port": 40_000, "server": "198.18.0.9", "server_port": 443}
        made.add("http", time=60_000_000 * k, device="phone-01", sni="a.site.example", host=host, **where)
    assert columns(made)["fronted"] == share
    assert columns(made)["name_anomaly"] == share


def test_another_apps_requests_are_no_front_of_this_ones(made):
    """Two apps of a device below one SNI: only what went through its own flows counts against an app."""
    made.polls(60.0 * np.arange(9), **SECURE, package="torch", uid=10_001)
    made.polls(60.0 * np.arange(4) + 5, **SECURE, package="news", uid=10_002, client_port=40_001)
    where = {"client": "10.88.0.2", "server": "198.18.0.9", "server_port": 443, "sni": "a.site.example"}
    for k in range(4):
        news = {"client_port": 40_001, "host": "hidden.bad.example"}
        made.add("http", time=60_000_000 * k + 5_100_000, device="phone-01", **where, **news)
    assert np.isnan(columns(made)["fronted"])
    for k in range(9):
        host = "hidden.bad.example" if k < 3 else "b.site.example"
        made.add("http", time=60_000_000 * k + 9_000, device="phone-01", client_port=40_000, **where, host=host)
    assert columns(made)["fronted"] == pytest.approx(1 / 3)


def test_protocols_are_held_against_category_and_roles(made):
    made.polls(60.0 * np.arange(9), uid=10_001, app_proto="imap")
    assert np.isnan(columns(made)["protocol_role"])
    made.app(10_001, "com.example.torch", "tools")
    assert columns(made)["protocol_role"] == 1
    made.rows["packages"][0]["roles"] = ["mail"]
    assert columns(made)["protocol_role"] == 0


def test_a_stack_of_its_own_is_noticed(made):
    app = {"uid": 10_001, "package": "com.example.torch"}
    made.polls(60.0 * np.arange(9), **SECURE, **app, ja4="own")
    assert np.isnan(columns(made)["stack_first_use"])
    made.flow(1, name="b.other.example", **app, ja4="usual")
    assert columns(made)["stack_first_use"] == 1
    made.flow(2, name="b.other.example", **app, ja4="own")
    assert columns(made)["stack_first_use"] == 0


def test_neighbours_are_other_devices_and_other_apps(made):
    made.polls(60.0 * np.arange(9), name="a.site.example", package="one")
    assert np.isnan(columns(made)["prevalence"]), "a lone device and app have no neighbours to ask"
    made.flow(5, name="b.site.example", package="two", device="phone-02")
    made.flow(6, name="c.site.example", package="one", device="phone-03")
    made.flow(6, name="c.else.example", package="one", device="phone-04")
    found = columns(made)
    assert found["prevalence"] == pytest.approx(max(2 / (3 + 20), 1 / (1 + 3)))
    assert found["fleet"] == 3
    assert found["fleet_share"] == pytest.approx(2 / 3)
