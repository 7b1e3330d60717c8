"""Baselines: what they answer, how they merge, and that an implant in the learning period does not hide itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.baseline import Asked, Baseline, learn, merged, survey
from detector.columns import NULL, Codes
from detector.features.baseline_deviation import baseline_gate
from detector.views import VIEWS

DAY_S = 86_400


def coded(texts):
    known = sorted({text for text in texts if text is not None})
    return Codes(np.array([NULL if text is None else known.index(text) for text in texts], np.int64), known)


def asked(*rows):
    """What is asked of (device, package, category, destination) in words."""
    return Asked(*(coded(column) for column in zip(*rows, strict=True)))


def fleet(made, phones=20, days=3):
    """Phones whose notes app syncs with its vendor, every day."""
    for phone in range(phones):
        for day in range(days):
            made.flow(DAY_S * day + 3600, device=f"phone-{phone:02}", package="notes", name="api.vendor.example")
    made.app(1, "notes", "tools")
    made.span_s = days * DAY_S
    return made


def gate_of(baseline, *row):
    return float(baseline_gate(baseline.deviation(asked(row)))[0])


def test_the_usual_is_not_a_deviation_and_the_new_is_one(made):
    found = learn(fleet(made).telemetry()).deviation(
        asked(
            ("phone-00", "notes", "tools", "vendor.example"),
            ("phone-00", "notes", "tools", "new.example"),
            ("phone-99", "notes", "tools", "vendor.example"),
            ("phone-00", None, None, "vendor.example"),
        )
    )
    np.testing.assert_equal(found.own_days, [3, 0, np.nan, 0])
    np.testing.assert_equal(found.app_share, [1, 0, 1, np.nan])
    np.testing.assert_equal(found.app_devices, [19, 19, 20, np.nan])
    np.testing.assert_equal(found.category_share, [np.nan] * 4)
    np.testing.assert_equal(found.fleet_share, [1, 0, 1, 1])
    np.testing.assert_equal(found.fleet_new, [0, 1, 0, 0])


def test_other_apps_of_the_category_are_asked_on_other_devices(made):
    fleet(made, phones=4)
    for phone in range(4):
        made.flow(7, device=f"phone-{phone:02}", package="draw", name="ads.example" if phone < 3 else "own.example")
    made.app(2, "draw", "tools")
    found = learn(made.telemetry()).deviation(asked(("phone-00", "notes", "tools", "ads.example")))
    assert found.category_share.tolist() == pytest.approx([2 / 3])
    assert found.app_share.tolist() == [0]


def test_a_survey_cannot_tell_what_is_new_but_who_is_alone(made):
    fleet(made).flow(50, device="phone-00", package="notes", name="implant.example")
    baseline = survey(made.telemetry())
    assert baseline.itself
    found = baseline.deviation(asked(("phone-00", "notes", "tools", "implant.example")))
    assert np.isnan(found.own_days).all()
    assert np.isnan(found.fleet_new).all()
    assert found.app_share.tolist() == found.fleet_share.tolist() == [0]


def test_one_phone_alone_is_told_nothing_of_others(made):
    found = survey(fleet(made, phones=1).telemetry()).deviation(asked(("phone-00", "notes", "tools", "vendor.example")))
    for name in ("own_days", "app_share", "category_share", "fleet_share", "fleet_new"):
        assert np.isnan(getattr(found, name)).all(), name


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_an_implant_in_the_learning_period_does_not_vouch_for_itself(made, share):
    fleet(made)
    for phone in range(int(20 * share)):  # polls from its own domain on each phone, all through learning
        for poll in range(0, 3 * DAY_S, 900):
            made.flow(poll, device=f"phone-{phone:02}", package="notes", name=f"c2.drop{phone}.example")
    baseline = learn(made.telemetry())
    poisoned = gate_of(baseline, "phone-00", "notes", "tools", "drop0.example")
    assert gate_of(baseline, "phone-00", "notes", "tools", "fresh.example") == 1
    assert 0.4 < poisoned < 0.6
    assert gate_of(baseline, "phone-00", "notes", "tools", "vendor.example") == 0


def test_a_campaign_of_few_phones_stays_rare_and_its_domain_everywhere_does_not(made):
    fleet(made)
    for phone in range(2):
        made.flow(7, device=f"phone-{phone:02}", package="notes", name="campaign.example")
    few = gate_of(learn(made.telemetry()), "phone-00", "notes", "tools", "campaign.example")
    for phone in range(2, 20):
        made.flow(7, device=f"phone-{phone:02}", package="notes", name="campaign.example")
    assert few > 0.35
    assert gate_of(learn(made.telemetry()), "phone-00", "notes", "tools", "campaign.example") == 0


def test_an_app_whose_every_install_is_an_implant_is_new_until_it_is_learned(made):
    clean = learn(fleet(made).telemetry())
    for phone in range(2):
        for poll in range(0, 3 * DAY_S, 900):
            made.flow(poll, device=f"phone-{phone:02}", package="torch", name="c2.drop.example")
    assert gate_of(clean, "phone-00", "torch", "tools", "drop.example") == 1
    assert 0.05 < gate_of(learn(made.telemetry()), "phone-00", "torch", "tools", "drop.example") < 0.2


def test_days_count_in_grades(made):
    fleet(made)
    for day in range(3):
        made.flow(DAY_S * day, device="phone-00", package="notes", name="long.example")
    made.flow(0, device="phone-00", package="notes", name="once.example")
    baseline = learn(made.telemetry())
    gates = [gate_of(baseline, "phone-00", "notes", "tools", f"{name}.example") for name in ("long", "once", "never")]
    assert gates == sorted(gates)
    assert len(set(gates)) == 3


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_every_view_can_be_learned_and_asked(made, view):
    fleet(made, phones=3).lookup(9, "w.asked.example", device="phone-00", package="netd")
    seen = VIEWS[view](made.telemetry())
    baseline = learn(seen)
    assert baseline.view == view
    if view != "sampled-1in100":  # of so few packets nothing is sampled
        assert baseline.devices > 0
    found = baseline.deviation(asked(("phone-00", "notes", "tools", "new.example")))
    assert len(baseline_gate(found)) == 1


PIECES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=4)


@given(st.lists(PIECES, min_size=3, max_size=3))
def test_merging_is_commutative_associative_and_idempotent(three):
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    baselines = []
    for rows in three:
        one = Made()
        for k, (device, app, name) in enumerate(rows):
            one.flow(60 * k, device=f"phone-{device}", package=f"app{app}", name=f"d{name}.example")
        baselines.append(learn(one.telemetry()))
    a, b, c = baselines
    assert a.merged(b) == b.merged(a)
    assert a.merged(b).merged(c) == a.merged(b.merged(c)) == merged([c, a, b])
    assert a.merged(a) == a
    assert a.merged(b).merged(a) == a.merged(b)


def test_the_same_recording_is_not_counted_twice(made):
    baseline = learn(fleet(made).telemetry())
    again = learn(made.telemetry())
    question = asked(("phone-00", "notes", "tools", "vendor.example"))
    assert baseline.merged(again).summary() == baseline.summary()
    assert baseline.merged(again).deviation(question).own_days.tolist() == [3]


def test_views_do_not_mix_and_surveys_are_not_merged(made):
    telemetry = fleet(made, phones=2).telemetry()
    with pytest.raises(LookupError, match="full, no-app"):
        learn(telemetry).merged(learn(VIEWS["no-app"](telemetry)))
    with pytest.raises(LookupError, match="survey"):
        survey(telemetry).merged(survey(telemetry))


def test_it_is_kept_in_a_file_and_handed_to_workers(made, tmp_path):
    baseline = learn(fleet(made).telemetry())
    baseline.write(tmp_path / "b")
    question = asked(("phone-00", "notes", "tools", "vendor.example"))
    for other in (Baseline.read(tmp_path / "b"), pickle.loads(pickle.dumps(baseline))):
        assert other == baseline
        assert other.deviation(question).app_devices.tolist() == [19]
        assert other.summary() == baseline.summary()


def test_what_is_usual_is_asked_by_category_or_app(made):
    baseline = learn(fleet(made).telemetry())
    assert baseline.protocols("tools") == {"tcp"}
    assert baseline.protocols("nonesuch") is None
    assert baseline.usual(package="notes").flows == 60
    rates = baseline.rate_z(coded(["tools", "tools", None]), np.array([1.0, 288.0, 5.0]))
    assert rates[0] == 0
    assert rates[1] > 10
    assert np.isnan(rates[2])
    assert baseline.spans == ((0, 3 * DAY_S * 1_000_000),)


def test_what_an_app_does_that_came_only_since_is_no_event_but_a_silent_app_that_speaks_is(made):
    fleet(made)
    made.app(9, "quiet", "tools")
    baseline = learn(made.telemetry())
    row = ("phone-01", "{}", "tools", "implant.example")
    questions = [(*row[:1], package, *row[2:]) for package in ("notes", "quiet", "fresh")]
    found = baseline.deviation(asked(*questions, ("phone-07", "fresh", "tools", "implant.example")))
    np.testing.assert_equal(found.own_app, [1, 1, 0, np.nan])  # of phone-07 no inventory was ever told
    gates = baseline_gate(found)
    assert gates[1] == 1.0
    assert gates[2] == pytest.approx(0.675)
    assert np.isnan(survey(made.telemetry()).deviation(asked(*questions)).own_app).all()


def test_the_inventory_is_kept_in_the_file_and_merged(made, tmp_path):
    made.app(9, "quiet", "tools")
    one = learn(made.telemetry())
    made.app(9, "other", "tools")
    both = one.merged(learn(made.telemetry()))
    both.write(tmp_path / "b")
    question = asked(*(("phone-01", package, "tools", "new.example") for package in ("quiet", "other", "third")))
    assert Baseline.read(tmp_path / "b").deviation(question).own_app.tolist() == [1, 1, 0]
    assert one.deviation(question).own_app.tolist() == [1, 0, 0]
