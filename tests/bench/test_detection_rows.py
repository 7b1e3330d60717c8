"""Rows of the comparison: incidents by their best word, alarms once a unit, the guilty apart from the innocent."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from detector.contract import Finding
from lab.truth import Truth, TruthIncident
from tests.bench.detection import entrants, shapes
from tests.bench.detection.pages import BEGIN, END, inserted
from tests.bench.detection.rows import INCIDENTS, incident_rows, said
from tests.bench.detection.sources import ROOT, adapter_digest, closure

HOUR = 3_600_000_000


def incident(analytic="AN1793", package="com.bad", peers=("c2.example",)):
    about = {"technique": "", "behaviour": "http-poll", "twin_of": "", "device": "phone-01", "uid": 10_100}
    return TruthIncident(
        "i1",
        analytic,
        **about,
        package=package,
        peers=peers,
        start=0,
        end=24 * HOUR,
        contacts=9,
        settings={"period": 60},
    )


def truth(*incidents):
    packages = {("phone-01", "com.bad"): (10_100, "tools"), ("phone-01", "com.good"): (10_101, "tools")}
    return Truth(incidents, {"phone-01": "10.0.0.1"}, packages, 0, 48 * HOUR, "s", 1)


def finding(score=0.5, *, package="com.bad", peer="c2.example", analytic="AN1793", at=HOUR, alert=False, uid=None):
    who = {"device": "10.0.0.1", "uid": uid, "package": package, "peer": peer}
    return Finding(
        analytic,
        **who,
        first_seen=at,
        last_seen=at,
        decided_at=at,
        score=score,
        alert=alert,
        severity="low",
        detector="d",
        detector_version="1",
    )


def test_incident_has_one_row_with_its_best_word_and_first_alert():
    rows = said(
        "d",
        "full",
        truth(incident()),
        [finding(0.9, at=5 * HOUR, alert=True), finding(0.7, at=2 * HOUR, alert=True), finding(0.2)],
    )
    (row,) = rows
    assert (row["incident"], row["unit"], row["score"], row["alert"], row["decided_at"]) == (
        "i1",
        None,
        0.9,
        True,
        2 * HOUR,
    )


def test_hosts_of_one_domain_are_one_unit_other_domains_are_not():
    peers = ["a.shop.example", "b.shop.example", "other.example"]
    rows = said("d", "full", truth(), [finding(0.1 * k, package="com.good", peer=peer) for k, peer in enumerate(peers)])
    assert sorted(row["unit"].split()[-1] for row in rows) == ["other.example", "shop.example"]


def test_relay_alarms_are_one_a_day():
    found = [finding(package="com.good", peer=None, analytic="AN1702", at=hour * HOUR) for hour in (1, 20, 30)]
    assert len(said("d", "full", truth(), found)) == 2


@pytest.mark.parametrize(
    ("package", "peer", "kind"),
    [
        ("com.good", "shop.example", "innocent"),
        ("com.bad", "shop.example", "guilty"),
        (None, "gateway.example", "guilty"),
        (None, "shop.example", "innocent"),
    ],
)
def test_other_alarms_about_the_app_of_an_incident_are_guilty(package, peer, kind):
    there = truth(incident("AN1702", peers=("gateway.example",)))
    (row,) = said("d", "no-app", there, [finding(package=package, peer=peer)])
    assert row["kind"] == kind


def test_uid_stands_for_the_package_it_is_of():
    (row,) = said("d", "full", truth(), [finding(package=None, uid=10_101, peer="shop.example")])
    assert row["package"] == "com.good"


def test_incident_rows_say_which_views_hide_them():
    (row,) = incident_rows(truth(incident()), {"full": (), "no-app": ("i1",)})
    assert row["unseen"] == ["no-app"]
    assert json.loads(row["settings"]) == {"period": 60}
    assert set(row) == set(INCIDENTS.names)


def test_part_between_the_marks_is_made_anew_and_the_rest_stays():
    page = inserted("before\n", "one")
    again = inserted(page, "two")
    assert again == page.replace("one", "two")
    assert again.count(BEGIN) == again.count(END) == 1


def test_nobody_but_ours_reads_the_state_of_a_device():
    asked = dict(entrants.asked(entrants.entrants(), entrants.VIEWS))
    alike = entrants.alike(entrants.entrants(), entrants.VIEWS)
    for name in entrants.entrants():
        own = [
            path
            for path in closure(f"detector.adapters.{name.partition(':')[0].replace('-', '_')}")
            if "rivals" in path.parts or "adapters" in path.parts
        ]
        reads = any("device_state" in path.read_text() for path in own)
        assert not (reads and (name, "no-state") in alike)
        assert ("no-state" in asked[name]) == (name == entrants.OURS)


def test_code_of_a_detector_is_its_own_with_its_settings():
    ours, rita = closure("detector.adapters.builtin"), closure("detector.adapters.rita")
    assert ROOT / "detector" / "thresholds.toml" in ours
    assert ROOT / "detector" / "analytics" / "command_polling.py" in {*ours} - {*rita}
    assert ROOT / "detector" / "rivals" / "beacon_score.py" in {*rita} - {*ours}
    assert adapter_digest("rita") == adapter_digest("rita:modifiers") != adapter_digest("elastic")


@pytest.mark.parametrize(
    ("settings", "contacts", "power"),
    [
        ({"law": "fixed"}, 4, 1.0),
        ({"law": "uniform", "jitter": 0.5}, 3, 0.0),
        ({"law": "uniform", "jitter": 1.0}, 5_000, 0.46),
        ({"law": "lognormal"}, 50, None),
    ],
)
def test_power_of_timing_is_that_of_the_table(settings, contacts, power):
    assert shapes.timing_power(settings, contacts) == power


def test_shape_of_an_incident_is_read_off_its_settings():
    given = {"law": "cobalt-strike", "period": 60.0, "jitter": 0.3, "gate": "locked"}
    assert shapes.shapes("AN1793", "http-poll", given) == ["only while locked"]
    assert (shapes.period_band("http-poll", given), shapes.jitter_band(given)) == ("30 s - 2 min", "<= 30 %")
    assert shapes.within_band("http-poll", given)
    assert not shapes.within_band("http-poll", {**given, "jitter": 0.6})
    assert shapes.period_band("push-poll", given) == shapes.NO_PERIOD
    assert shapes.shapes("AN1702", "backconnect-relay", {"lag_ms": 3_000.0, "streams_per_hour": 6}) == [
        "held back a second or more",
        "few streams",
    ]
