"""What counts as speaking of an incident: each condition alone decides."""

import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry
from detector.views import VIEWS
from lab.scoring.matching import APPLESS, device_name, judge, matches, same_peer
from lab.truth import Background


@pytest.fixture
def truth(make):
    return make.truth(make.incident())


def test_the_plain_finding_matches(make, truth):
    assert matches(make.finding(), truth.incidents[0], truth, "full")


@pytest.mark.parametrize(
    "changes",
    [
        {"package": None},  # the uid says it
        {"package": None, "uid": None},  # a look-up has no app; this peer is exactly the incident's
        {"peer": "198.18.0.7"},
        {"peer": "vendor.example"},
        {"peer": "API.Vendor.Example."},
        {"peer": "cdn7.api.vendor.example"},
        {"peer": "198.18.0.7:8080"},  # a Host header with its port
        {"peer": "api.vendor.example:443"},
    ],
)
def test_unknown_or_coarser_is_not_wrong(make, truth, changes):
    assert matches(make.finding(**changes), truth.incidents[0], truth, "full")


@pytest.mark.parametrize(
    "changes",
    [
        {"analytic": "AN1702"},
        {"device": "phone-02"},
        {"device": "10.88.0.12"},
        {"package": "com.example.news"},
        {"package": None, "uid": 10102},
        {"package": None, "uid": None, "peer": "vendor.example"},  # no app, and only nearly the peer
        {"peer": None},
        {"peer": "*rare*"},
        {"peer": "other.example"},
        {"peer": "www.vendor.example"},  # another host of the same domain
        {"peer": "example"},  # a public suffix speaks for nobody
        {"peer": "i.vendor.example"},  # a tail of letters is no domain
        {"peer": "8.0.7"},
        {"peer": ""},
        {"peer": ":443"},
        {"peer": "2001:db8::7"},  # no port, but an address
    ],
)
def test_each_condition_alone_decides(make, truth, changes):
    assert not matches(make.finding(**changes), truth.incidents[0], truth, "full")


def test_times_must_overlap(make):
    late = make.incident(start=make.START + 21 * make.HOUR)
    truth = make.truth(late)
    assert not matches(make.finding(), late, truth, "full")
    assert matches(make.finding(last_seen=late.start), late, truth, "full")


def test_relaying_has_no_peer(make):
    relay = make.incident(analytic="AN1702", behaviour="socks-relay")
    assert matches(make.finding(analytic="AN1702", peer=None), relay, make.truth(relay), "full")


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
        ({"package": None, "peer": "other.example"}, "extra"),  # its uid names the app
        ({"package": None, "uid": None, "peer": "other.example"}, "benign"),
    ],
)
def test_kinds(make, truth, changes, kind):
    (verdict,) = judge(truth, [make.finding(**changes)], "full")
    assert verdict.kind == kind
    assert verdict.false_alarm == (kind in {"cross", "extra", "benign"})


def test_the_earliest_decision_is_the_hit(make, truth):
    late, early = make.finding(score=1.0, decided_at=make.START + 9 * make.HOUR), make.finding(score=0.6)
    assert [(v.kind, v.finding) for v in judge(truth, [late, early], "full")] == [("hit", early), ("duplicate", late)]


def test_a_quiet_finding_takes_no_hit_away(make, truth):
    quiet = make.finding(alert=False, decided_at=make.START)
    assert [v.kind for v in judge(truth, [make.finding(), quiet], "full")] == ["quiet", "hit"]


def test_one_finding_counts_for_one_incident(make):
    relays = [
        make.incident(analytic="AN1702", incident=f"phone-01/app-{n}/socks-relay", package=f"com.example.app{n}")
        for n in (1, 2)
    ]
    truth = make.truth(*relays)
    blind = make.finding(analytic="AN1702", package=None, uid=None, peer=None)
    again = make.finding(analytic="AN1702", package=None, uid=None, peer=None, decided_at=make.START + 5 * make.HOUR)
    assert [v.incident for v in judge(truth, [blind], "no-app")] == relays[:1]
    assert [(v.kind, v.incident) for v in judge(truth, [blind, again], "no-app")] == [
        ("hit", relays[0]),
        ("hit", relays[1]),
    ]


def test_one_finding_per_device_does_not_claim_every_incident(make):
    """What *rare* and a missing package used to buy: a hit on every incident of the device for no knowledge at all."""
    polls = [
        make.incident(incident=f"i{n}", package=f"com.example.app{n}", uid=n, peers=(f"c{n}.host{n}.example",))
        for n in range(3)
    ]
    relay = make.incident(incident="r", analytic="AN1702", behaviour="socks-relay")
    truth = make.truth(*polls, relay)
    vague = [make.finding(package=None, uid=None, peer=peer) for peer in ("*rare*", None, "example")]
    vague.append(make.finding(analytic="AN1702", package=None, uid=None, peer=None))
    assert {verdict.kind for verdict in judge(truth, vague, "full")} == {"benign"}
    told = [make.finding(package=one.package, peer=one.peers[0]) for one in polls]
    assert {verdict.kind for verdict in judge(truth, told, "full")} == {"hit"}  # the control: naming them does match


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_finding_without_an_app_is_excused_by_the_view_only(make, truth, view):
    relay = make.incident(analytic="AN1702", behaviour="socks-relay")
    nobody = make.finding(analytic="AN1702", package=None, uid=None, peer=None, device="10.88.0.11")
    assert matches(nobody, relay, make.truth(relay), view) == (view in APPLESS)
    near = make.finding(package=None, uid=None, peer="vendor.example", device="10.88.0.11")
    assert matches(near, truth.incidents[0], truth, view) == (view in APPLESS)


def shows_an_app(name):
    """Whether any app is left in any table when the view has seen one busy flow of a known app."""
    flow = {"flow": 1, "inbound": False, "client": "10.88.0.11", "server": "198.18.0.7", "start": 0, "end": 9, "uid": 7}
    flow |= {"packets_up": 9999, "packets_down": 9999, "bytes_up": 1, "bytes_down": 1, "package": "com.example.torch"}
    rows = {"flows": {**flow, "established": True, "device": "phone-01"}, "packages": flow, "sockets": {"uid": 7}}
    tables = {
        table: pa.Table.from_pylist([{field: row.get(field) for field in SCHEMAS[table].names}], SCHEMAS[table])
        for table, row in {**rows, "dns": {"flow": 1}}.items()
    }
    seen = VIEWS[name](Telemetry(tables, (0, 9)))
    assert any(table.num_rows for table in seen.tables.values())
    columns = [table[c] for table in seen.tables.values() for c in ("uid", "package") if c in table.column_names]
    return any(column.null_count < len(column) for column in columns)


def test_the_appless_views_are_those_that_show_no_app():
    assert {name for name in VIEWS if not shows_an_app(name)} == APPLESS


def test_device_name(truth):
    assert device_name("10.88.0.12", truth) == "phone-02"
    assert device_name("203.0.113.9", truth) == "203.0.113.9"


@pytest.fixture
def merged(make):
    """A truth of a merged recording: phone-02's address is a host's of the background, too."""
    return make.truth(make.incident(), background=Background({"phone-02": frozenset({"cdn.news.example"})}))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"device": "192.168.7.23", "package": None, "uid": None}, "background"),
        ({"device": "192.168.7.23", "alert": False}, "background"),
        ({"device": "10.88.0.11", "peer": "other.example"}, "extra"),  # all of its traffic was played
        ({"device": "phone-01", "package": None, "uid": None, "peer": "other.example"}, "benign"),
        ({"device": "phone-02", "package": None, "uid": None, "peer": "other.example"}, "background"),
        ({"device": "phone-02", "package": None, "uid": None, "peer": "cdn.news.example"}, "benign"),
        ({"device": "phone-02", "package": "com.example.news", "uid": 10102, "peer": "other.example"}, "benign"),
        ({"device": "phone-02", "package": "com.not.known", "uid": None}, "background"),
        ({"device": "phone-02", "analytic": "AN1702", "package": None, "uid": None, "peer": None}, "background"),
    ],
)
def test_what_may_speak_of_the_background_is_neither_right_nor_wrong(make, merged, changes, kind):
    (verdict,) = judge(merged, [make.finding(**changes)], "full")
    assert verdict.kind == kind
    assert verdict.false_alarm == (kind != "background")


def test_an_incident_of_a_merged_recording_is_hit_as_ever(make, merged):
    (verdict,) = judge(merged, [make.finding()], "full")
    assert verdict.kind == "hit"


def test_without_a_background_an_unknown_host_is_a_false_alarm(make, truth):
    (verdict,) = judge(truth, [make.finding(device="192.168.7.23")], "full")
    assert (verdict.kind, verdict.false_alarm) == ("benign", True)
