"""Who is meant by a question, and what a telemetry holds of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.columns import NULL, Codes
from detector.contract import Telemetry
from detector.explanation import About, same_host, witnessed

US = 1_000_000
ABOUT = About("AN1793", ("phone-01", "10.88.0.2"), 10_001, "com.example.torch", ("c2.example",), 0, 86_400 * US)
APP = {"uid": 10_001, "package": "com.example.torch", "name": "c2.example"}


def masked(about, device="phone-01", uid=10_001, package="com.example.torch", peer="c2.example", seen=(5, 9)):
    def one(text):
        return Codes(np.array([NULL if text is None else 0]), [] if text is None else [text])

    times = np.array([seen[0] * US]), np.array([seen[1] * US])
    return bool(about.mask(one(device), np.array([uid]), one(package), one(peer), times)[0])


@pytest.mark.parametrize(
    ("changed", "meant"),
    [
        ({}, True),
        ({"device": "10.88.0.2"}, True),
        ({"device": "phone-02"}, False),
        ({"package": "com.example.news"}, False),
        ({"package": None}, True),
        ({"package": None, "uid": NULL}, True),
        ({"package": None, "uid": 10_002}, False),
        ({"peer": "a.c2.example"}, True),
        ({"peer": "c3.example"}, False),
        ({"peer": None}, False),
        ({"seen": (-40, -31)}, False),
        ({"seen": (-40, -29)}, True),
        ({"seen": (86_401, 86_402)}, False),
    ],
)
def test_what_a_sensor_does_not_know_is_not_another(changed, meant):
    assert masked(ABOUT, **changed) is meant


def test_without_peers_or_app_any_is_meant():
    assert masked(replace(ABOUT, peers=()), peer="other.example")
    assert masked(replace(ABOUT, uid=None, package=None), package="com.example.news", uid=7)
    assert ABOUT.told() == "com.example.torch on phone-01 to c2.example"
    assert replace(ABOUT, package=None, peers=()).told() == "uid 10001 on phone-01"


def test_rows_are_counted_whatever_is_made_of_them(made):
    made.polls([1.0, 2.0], **APP)
    number = made.flow(3.0, sni="c2.example", uid=10_001)
    made.exchange(number, 3.1, 10, 10)
    made.exchange(number, 3.2, 10, 10)
    made.flow(4.0, name="other.example", uid=10_001)
    made.flow(5.0, **{**APP, "uid": 10_002, "package": "com.example.news"})
    made.lookup(0.5, "www.c2.example", uid=None)
    seen = witnessed(made.telemetry(), ABOUT)
    assert (seen.flows, seen.exchanges, seen.lookups) == (3, 2, 1)
    assert witnessed(made.telemetry(), replace(ABOUT, peers=())).flows == 5
    nothing = witnessed(Telemetry({}, span=(0, 1)), ABOUT)
    assert (nothing.flows, nothing.exchanges, nothing.lookups) == (0, 0, 0)


def test_a_caller_is_the_far_end_of_what_came_in(made):
    made.flow(1.0, inbound=True, client="198.18.7.7", server="10.88.0.2", **APP | {"name": None})
    assert witnessed(made.telemetry(), replace(ABOUT, peers=("198.18.7.7",))).flows == 1
    assert witnessed(made.telemetry(), replace(ABOUT, peers=("10.88.0.2",))).flows == 0


def test_a_host_is_held_by_its_domain_and_by_no_public_suffix():
    assert same_host("C2.example.", "c2.example")
    assert same_host("198.18.0.1", "198.18.0.1")
    assert not same_host("198.18.0.1", "0.1")
    assert not same_host("c2.example", "example")


def test_a_finding_is_held_against_the_same_words(make):
    about = replace(ABOUT, peers=("api.vendor.example",), first=make.START, last=make.START + make.HOUR)
    found = make.finding(uid=None)
    assert about.concerns(found)
    assert not about.concerns(make.finding(analytic="AN1702", peer=None))
    assert replace(about, analytic="AN1702").concerns(make.finding(analytic="AN1702", peer=None))
    assert not about.concerns(make.finding(peer="other.example"))
    assert not about.concerns(make.finding(package="com.example.news"))
