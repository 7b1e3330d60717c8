"""Decrypted requests belong to the flow of the same ends that began last before them."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.polling_fronts import Fronts
from detector.columns import NULL, Codes

FRONT = {"sni": "www.front.example", "server": "198.18.0.9", "server_port": 443}


@pytest.fixture
def asked(made):
    """A function that adds one decrypted request, by default through the flows of phone-01."""

    def add(time_s, host, **values):
        ends = {"device": "phone-01", "client": "10.88.0.2", "client_port": 40_000}
        made.add("http", time=int(time_s * 1_000_000), **{**FRONT, **ends, **values}, host=host)

    return add


def fronts(made):
    telemetry = made.telemetry()
    return Fronts.read(telemetry["flows"], telemetry["http"])


def test_of_flows_with_the_same_ends_the_last_before_the_request_carried_it(made, asked):
    for start in (0, 100, 200):
        made.flow(start)
    made.flow(150, client_port=40_001)
    for time in (99, 100, 170, 900):
        asked(time, "a.front.example")
    asked(100, "a.front.example", client_port=40_002)
    asked(100, "a.front.example", device="phone-02")
    assert fronts(made).flow.tolist() == [0, 1, 1, 2, NULL, NULL]


def test_before_the_first_flow_there_is_none(made, asked):
    made.flow(50)
    asked(49, "a.front.example")
    assert fronts(made).flow.tolist() == [NULL]


@pytest.mark.parametrize(("host", "odd"), [("b.front.example:443", 0), ("hidden.bad.example", 1)])
def test_another_registrable_domain_is_another_server(made, asked, host, odd):
    made.flow(0)
    asked(1, host)
    asked(2, None)
    found = fronts(made)
    assert found.other.tolist() == [odd], "a request without a Host tells nothing"
    assert found.of_rows(np.array([0]), np.array([0, 1])).tolist() == [odd]


def test_shares_are_of_the_requests_that_were_read(made, asked):
    for start in (0, 100):
        made.flow(start)
    asked(1, "hidden.bad.example")
    asked(2, "a.front.example")
    found = fronts(made)
    shares = found.of_rows(np.array([0, 1, 0, 1]), np.array([0, 1, 2, 4]))
    assert np.isnan(shares[1])
    assert shares[[0, 2]].tolist() == [0.5, 0.5]


def test_without_apps_a_device_is_told_by_its_names(made, asked):
    made.flow(0)
    asked(1, "hidden.bad.example", client_port=9)
    who = Codes(np.array([0, 1, 0]), ["phone-01", "phone-02"])
    whom = Codes(np.array([0, 0, 1]), ["front.example", "else.example"])
    found = fronts(made).of_names(who, whom)
    assert found[0] == 1
    assert np.isnan(found[1:]).all()
