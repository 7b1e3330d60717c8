"""What counts as speaking of an incident: each condition alone decides."""

import pytest

from lab.matching import RARE, device_name, judge, matches, same_peer


@pytest.fixture
def truth(make):
    return make.truth(make.incident())


def test_the_plain_finding_matches(make, truth):
    assert matches(make.finding(), truth.incidents[0], truth)


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "10.88.0.11", "package": None, "uid": None},  # view no-app
        {"package": None},
        {"peer": "198.18.0.7"},
        {"peer": "vendor.example"},
        {"peer": "API.Vendor.Example."},
        {"peer": "cdn7.api.vendor.example"},
        {"peer": RARE},
    ],
)
def test_unknown_or_coarser_is_not_wrong(make, truth, changes):
    assert matches(make.finding(**changes), truth.incidents[0], truth)


@pytest.mark.parametrize(
    "changes",
    [
        {"analytic": "AN1702"},
        {"device": "phone-02"},
        {"device": "10.88.0.12"},
        {"package": "com.example.news"},
        {"peer": None},
        {"peer": "other.example"},
        {"peer": "www.vendor.example"},  # another host of the same domain
        {"peer": "example"},  # a public suffix speaks for nobody
        {"peer": "i.vendor.example"},  # a tail of letters is no domain
        {"peer": "8.0.7"},
        {"peer": ""},
    ],
)
def test_each_condition_alone_decides(make, truth, changes):
    assert not matches(make.finding(**changes), truth.incidents[0], truth)


def test_times_must_overlap(make):
    late = make.incident(start=make.START + 21 * make.HOUR)
    truth = make.truth(late)
    assert not matches(make.finding(), late, truth)
    assert matches(make.finding(last_seen=late.start), late, truth)


def test_relaying_has_no_peer(make):
    relay = make.incident(analytic="AN1702", behaviour="socks-relay")
    assert matches(make.finding(analytic="AN1702", peer=None), relay, make.truth(relay))


def test_no_peer_is_nobodys():
    assert not same_peer(None, ("a.example",))
    assert not same_peer("a.example", ())
    assert not same_peer(".example", ("a.vendor.example",))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "hit"),
        ({"alert": False}, "quiet"),
        ({"analytic": "AN1702", "peer": None}, "cross"),
        ({"peer": "other.example"}, "extra"),
        ({"package": "com.example.news"}, "benign"),
        ({"package": "com.example.news", "alert": False}, "quiet"),
        ({"package": None, "peer": "other.example"}, "benign"),
    ],
)
def test_kinds(make, truth, changes, kind):
    (verdict,) = judge(truth, [make.finding(**changes)])
    assert verdict.kind == kind
    assert verdict.false_alarm == (kind in {"cross", "extra", "benign"})


def test_the_earliest_decision_is_the_hit(make, truth):
    late, early = make.finding(score=1.0, decided_at=make.START + 9 * make.HOUR), make.finding(score=0.6)
    assert [(v.kind, v.finding) for v in judge(truth, [late, early])] == [("hit", early), ("duplicate", late)]


def test_a_quiet_finding_takes_no_hit_away(make, truth):
    quiet = make.finding(alert=False, decided_at=make.START)
    assert [v.kind for v in judge(truth, [make.finding(), quiet])] == ["quiet", "hit"]


def test_one_finding_counts_for_one_incident(make):
    relays = [
        make.incident(analytic="AN1702", incident=f"phone-01/app-{n}/socks-relay", package=f"com.example.app{n}")
        for n in (1, 2)
    ]
    truth = make.truth(*relays)
    blind = make.finding(analytic="AN1702", package=None, peer=None)
    again = make.finding(analytic="AN1702", package=None, peer=None, decided_at=make.START + 5 * make.HOUR)
    assert [v.incident for v in judge(truth, [blind])] == relays[:1]
    assert [(v.kind, v.incident) for v in judge(truth, [blind, again])] == [("hit", relays[0]), ("hit", relays[1])]


def test_device_name(truth):
    assert device_name("10.88.0.12", truth) == "phone-02"
    assert device_name("203.0.113.9", truth) == "203.0.113.9"
