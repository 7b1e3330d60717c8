"""The tables of a file refuse what they do not know, each fault with its place counted from 1."""

from __future__ import annotations

import pytest

from lab.authoring.scenario_file import BoundsTable, ScenarioTable, SuiteTable, faults_of

APP = {"package": "com.a.b", "category": "tools"}
GOOD = {"question": "Is it seen?", "span": "2h", "devices": 1, "app": [APP]}


def test_a_good_document_has_no_faults():
    table, faults = faults_of(ScenarioTable, GOOD)
    assert faults == []
    assert table is not None
    assert table.app[0].package == "com.a.b"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"question": "Is it? Is it?"}, "question: "),
        ({"question": "?"}, "question: "),
        ({"span": "1s"}, "span: found '1s', expected from 1m to 31d"),
        ({"span": "99d"}, "span: found '99d', expected from 1m to 31d"),
        ({"devices": "3"}, "devices: found '3'"),
        ({"devices": True}, "devices: found True"),
        ({"twin_of": "../x"}, "twin_of: "),
        ({"state": {"profile": "spare", "profiles": ["kiosk"]}}, "state: found both profile and profiles"),
        ({"state": {"profiles": ["kiosk", "pilot"]}}, "state: profiles 2: unknown profile 'pilot'; known are driver"),
        ({"state": {"networks": "lan"}}, "state: networks: found 'lan', input should be 'wifi', 'mobile' or 'roaming'"),
        ({"network": {"loss": 0.2}}, "network: loss: found 0.2, input should be less than or equal to 0.1"),
        ({"network": {"rtt": "3s"}}, "network: rtt: found '3s', expected 2s at most"),
        ({"network": {"mtu": 1200}}, "network: mtu: found 1200, input should be greater than or equal to 1280"),
        ({"network": {"los": 0.2}}, "network: unknown field 'los'; did you mean 'loss'"),
        ({"state": {"vpn": "yes"}}, "state: vpn: found 'yes'"),
        ({"app": [APP, {"package": "com.a.b"}]}, "app 2: field 'category' is missing"),
        ({"app": [{**APP, "role": []}]}, "app 1: unknown field 'role'; did you mean 'roles'?"),
        ({"app": [{**APP, "zzz": 1}]}, "app 1: unknown field 'zzz'; known are package, category"),
        ({"app": [{**APP, "roles": ["Vpn"]}]}, "app 1: roles 1: found 'Vpn'"),
        ({"expect": [{"behaviour": "x", "bytes": {"at_least": -1}}]}, "expect 1, bytes: at_least: found -1"),
        ({"expect": [{"behaviour": "x", "bytes": {"at_most": float("inf")}}]}, "expect 1, bytes: at_most: found inf"),
        ({"expect": [{"behaviour": "x", "bytes": {"at_least": float("nan")}}]}, "expect 1, bytes: at_least: found nan"),
        ({"expect": [{"behaviour": "x"}]}, "expect 1: found no bound, expected contacts, conversations or bytes"),
        ({"expect": [{"behaviour": "x", "contacts": {}}]}, "expect 1: contacts: found no bound, expected at_least"),
        ({"expect": [{"behaviour": "x", "contacts": {"at_least": 0}}]}, "expect 1: contacts: found no bound"),
        (
            {"expect": [{"behaviour": "x", "contacts": {"at_least": 5, "at_most": 3}}]},
            "expect 1: contacts: found at_least 5, which is more than at_most 3",
        ),
    ],
)
def test_a_fault_has_its_place(change, expected):
    table, faults = faults_of(ScenarioTable, {**GOOD, **change})
    assert table is None
    assert len(faults) == 1
    assert expected in faults[0]


def test_a_suite_names_scenarios():
    assert faults_of(SuiteTable, {"question": "Are they seen?", "scenarios": ["a"]})[1] == []
    assert len(faults_of(SuiteTable, {"question": "Are they seen", "scenarios": []})[1]) == 2
    assert faults_of(BoundsTable, {"at_least": 3})[0] == BoundsTable(at_least=3)


@pytest.mark.parametrize("bounds", [{"at_most": 0}, {"at_least": 0, "at_most": 3}, {"at_least": 3, "at_most": 3}])
def test_a_bound_that_can_fail_is_a_bound(bounds):
    assert faults_of(BoundsTable, bounds)[1] == []
