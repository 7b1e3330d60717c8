"""Every factor of AN1793: within its range, unknown where the sensor cannot tell, and whose rows it comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.analytics.polling_columns import PARTS, averaged, columns_of, pair_columns, rare_pairs
from detector.analytics.polling_measured import measured
from detector.analytics.polling_score import scores
from detector.analytics.polling_surroundings import Surroundings
from detector.baseline import learn
from detector.thresholds import FACTORS, load_thresholds

LIMITS = load_thresholds().polling
US = 1_000_000
DAY = 86_400
STATE = ("lock_independence", "lock_preference", "background_share", "idle_share", "background_use")
#: What is no share of anything.
UNBOUND = {"contacts", "own_days", "app_devices", "fleet"}
NAN = float("nan")


def one(telemetry, limits=LIMITS):
    """The columns of the group with the most contacts."""
    found = measured(telemetry, limits)
    best = int(np.argmax(found.columns["contacts"]))
    return {name: float(column[best]) for name, column in found.columns.items()}


def unknown(columns):
    return {name for name, value in columns.items() if np.isnan(value)}


def new_day():
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    return Made()


conversation = st.tuples(
    st.integers(0, 86_000),
    st.integers(0, 2),  # device
    st.sampled_from([None, 10_001, 10_002]),
    st.sampled_from(["a.one.example", "b.two.example", None]),
    st.sampled_from([0, 40, 900, 70_000]),
    st.sampled_from([None, "tls", "imap"]),
)


def crowd_of_days(rows):
    made = new_day()
    for start, device, uid, name, size, proto in rows:
        made.flow(start, device=f"phone-{device}", uid=uid, name=name, up=size, down=2 * size, app_proto=proto)
    made.polls(600.0 * np.arange(30), uid=10_001, name="timer.example", device="phone-0")
    for hour in range(24):
        made.state(hour * 3600, locked=hour % 3 > 0, foreground=10_002, device="phone-0")
    made.app(10_001, "com.example.torch", "tools")
    return made


@settings(max_examples=40)
@given(rows=st.lists(conversation, max_size=60))
def test_every_factor_is_unknown_or_within_its_range(rows):
    found = measured(crowd_of_days(rows).telemetry(), LIMITS)
    assert len(found) >= 1
    assert set(found.columns) >= FACTORS | set(PARTS) | UNBOUND
    for name, column in found.columns.items():
        assert column.dtype == np.float64
        known = column[~np.isnan(column)]
        assert (known >= 0).all(), name
        assert name in UNBOUND or (known <= 1 + 1e-9).all(), name
    assert np.isfinite(scores(found.columns, LIMITS)).all()


@settings(max_examples=25)
@given(rows=st.lists(conversation, max_size=40), order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_the_tables_changes_nothing(rows, order):
    made = crowd_of_days(rows)
    before = measured(made.telemetry(), LIMITS)
    for table in made.rows.values():
        order.shuffle(table)
    after = measured(made.telemetry(), LIMITS)

    def told(found):
        who = zip(found.device.code, found.uid, found.destination.code, found.looked_up, strict=True)
        names = [(found.device.texts[d], int(u), found.destination.texts[x], bool(k)) for d, u, x, k in who]
        return {name: [round(float(c[k]), 9) for c in found.columns.values()] for k, name in enumerate(names)}

    left, right = told(before), told(after)
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name])


def test_what_a_lone_poller_without_more_cannot_tell(made):
    made.span_s = 7200
    made.polls(60.0 * np.arange(100))
    found = one(made.telemetry())
    coverage = {"hour_coverage", "contact_spread", "night_coverage"}
    assert unknown(found) >= {*STATE, *coverage, "stack_first_use", "protocol_role", "explained", "contact_rate"}
    assert unknown(found) >= {
        "own_days",
        "fleet_new",
        "app_share",
        "fleet_share",
        "prevalence",
        "fronted",
        "dns_tunnel",
    }
    told = {"contacts", "interval_regularity", "gap_floor", "mode_share", "size_constancy", "smallness", "gate"}
    assert not unknown(found) & told
    assert (found["baseline"], found["fleet"]) == (0, 0)


@pytest.mark.parametrize(("hours", "unknowns"), [(2.9, 3), (3.0, 1), (23.9, 1), (24, 0)])
def test_hours_are_told_from_three_and_nights_from_a_day(made, hours, unknowns):
    made.span_s = hours * 3600
    made.polls(np.arange(0, made.span_s, 600))
    coverage = {"hour_coverage", "contact_spread", "night_coverage"}
    assert len(unknown(one(made.telemetry())) & coverage) == unknowns


def states(made, *, foreground=5):
    for hour in range(24):
        made.state(hour * 3600, locked=hour % 2 == 0, foreground=foreground)


def test_states_are_of_the_device_and_its_app(made):
    made.polls(300.0 * np.arange(288), uid=10_001)
    states(made)
    found = one(made.telemetry())
    assert found["background_share"] == 1
    assert found["lock_independence"] == pytest.approx(1, abs=0.05)
    assert found["lock_preference"] == pytest.approx(0.5, abs=0.02)
    states_of_the_app = made.rows.pop("device_state")
    states(made, foreground=10_001)
    assert one(made.telemetry())["background_share"] == pytest.approx(0.5, abs=0.02)
    del made.rows["device_state"][:12]  # moments without a known state count for neither side
    assert one(made.telemetry())["background_share"] == pytest.approx(0.5, abs=0.02)
    made.rows["device_state"] = [{**row, "device": "phone-02"} for row in states_of_the_app]
    assert unknown(one(made.telemetry())) >= set(STATE), "another device's states say nothing"


def test_on_a_device_that_nobody_touched_background_is_unknown(made):
    made.polls(300.0 * np.arange(280), uid=10_001)
    made.state(0, locked=True)
    assert unknown(one(made.telemetry())) >= set(STATE)
    made.state(80_000, locked=False, foreground=5)
    assert not unknown(one(made.telemetry())) & set(STATE)


@pytest.mark.parametrize(
    ("setting", "lost"),
    [
        ({"app_state": "any"}, {"background_share"}),
        ({"device_lock_state": "any"}, {"lock_independence", "lock_preference", "background_use"}),
    ],
)
def test_what_a_setting_does_not_ask_for_is_unknown(made, setting, lost):
    made.polls(300.0 * np.arange(280), uid=10_001)
    states(made)
    assert unknown(one(made.telemetry(), replace(LIMITS, **setting))) & set(STATE) == lost


def test_sizes_of_nothing_are_unknown_and_not_equal(made):
    made.polls(60.0 * np.arange(20), up=0, down=0)
    sizes = {"size_constancy", "constancy_up", "constancy_down", "smallness", "size_symmetry"}
    assert unknown(one(made.telemetry())) >= sizes
    made.polls(60.0 * np.arange(20, 60), up=300, down=100)
    assert not unknown(one(made.telemetry())) & sizes


def test_contacts_of_other_devices_change_only_what_the_fleet_says(made):
    made.polls(300.0 * np.arange(280), uid=10_001, name="c2.example", app_proto="tls")
    states(made)
    alone = one(made.telemetry())
    for k in range(30):
        made.flow(700.0 * k, device=f"phone-{k % 3 + 2:02}", name="c2.example", uid=10_001, up=5 * k)
    beside = one(made.telemetry())
    changed = {name for name in alone if not np.array_equal(alone[name], beside[name], equal_nan=True)}
    assert changed == {"fleet", "fleet_share", "prevalence", "gate", "elsewhere"}
    assert (beside["fleet"], beside["fleet_share"]) == (3, 1)
    made.flow(5, uid=10_001, name="c2.example", up=70_000)
    assert one(made.telemetry())["contacts"] == alone["contacts"] + 1, "control: its own rows do"


def test_prevalence_is_of_this_recording_whatever_the_baseline_knows(made):
    made.polls(60.0 * np.arange(9), name="c2.example")
    for k in range(99):
        made.flow(k, device=f"other-{k}", name="c2.example")
    past = type(made)()
    past.flow(1, name="x.example")
    past.flow(1, name="x.example", device="other-1")
    found = one(replace(made.telemetry(), baseline=learn(past.telemetry())))
    assert found["prevalence"] == pytest.approx(99 / (99 + 20))
    assert found["fleet"] == 1


def fleet_rates(span_days):
    """A fleet of one category that polls ten destinations at several rates, for as many days."""
    made = new_day()
    made.span_s = span_days * DAY
    for k in range(10):
        made.polls(np.arange(0, made.span_s, 3600 / (k + 1)), uid=10_001, package="torch", name=f"c.site{k}.example")
    made.app(10_001, "torch", "tools")
    return made.telemetry()


@pytest.mark.parametrize("days", [1.001, 1.5, 2.0])
def test_a_rate_is_per_day_and_no_part_of_a_day_counts_as_one(days):
    learned = learn(fleet_rates(1.0))
    first, later = (measured(replace(fleet_rates(n), baseline=learned), LIMITS) for n in (1.0, days))
    assert (first.columns["contact_rate"] > 0).any()
    assert later.columns["contact_rate"] == pytest.approx(first.columns["contact_rate"], abs=0.02)


def test_a_survey_asks_for_rates_in_its_own_days_but_hours_are_no_day_against_what_was_learned():
    short = fleet_rates(0.5)
    itself = measured(short, LIMITS).columns["contact_rate"]
    assert itself == pytest.approx(measured(fleet_rates(1.0), LIMITS).columns["contact_rate"], abs=0.02)
    assert itself.max() > 0.05
    against = measured(replace(short, baseline=learn(fleet_rates(1.0))), LIMITS).columns["contact_rate"]
    assert (against <= itself).all()
    assert against.max() < itself.max()


def rare(**columns):
    plain = {"fleet_share": 0.0, "fleet": 20.0, "own_days": 0.0, "app_share": 0.0, "fleet_new": 0.0}
    return bool(rare_pairs({name: np.array([value]) for name, value in {**plain, **columns}.items()}, LIMITS)[0])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, True),
        ({"fleet_share": 2 / 20}, True),
        ({"fleet_share": 3 / 20}, False),  # too many others
        ({"fleet": 30.0, "fleet_share": 3 / 30}, False),  # a small share, but as many as rare_devices
        ({"fleet": 9.0}, False),  # too small a fleet to say so
        ({"fleet": 9.0, "fleet_new": 1.0}, True),
        ({"fleet_share": 0.9, "fleet_new": 1.0, "app_share": NAN}, True),  # a campaign that reached many phones
        ({"fleet_share": NAN, "fleet_new": NAN, "fleet": 0.0}, False),
        ({"own_days": 1.0}, False),
        ({"own_days": NAN}, True),
        ({"app_share": 0.5}, False),
        ({"app_share": NAN}, True),
    ],
)
def test_rare_is_new_or_seldom_and_not_the_apps_own(columns, expected):
    assert rare(**columns) == expected


def test_means_of_joined_pairs_leave_out_what_is_unknown(made):
    """Of two apps: one with destinations of 1 and 3 rows, one of 5; of each a column that is known in part."""
    for uid, name, many in ((1, "a.example", 1), (1, "b.example", 3), (2, "c.example", 5)):
        made.polls(60.0 * np.arange(many), uid=uid, name=name)
    known = Surroundings.read(made.telemetry(), LIMITS.ignored_ports)
    pairs = known.flow_pairs
    order = {pairs.destination.text(k): k for k in range(3)}
    column, half = np.zeros(3), np.full(3, np.nan)
    for name, value in (("a.example", 1.0), ("b.example", 0.2), ("c.example", 0.7)):
        column[order[name]] = value
    half[order["a.example"]] = 1.0
    found = averaged({"all": column, "half": half}, pairs, np.ones(3, np.bool_))
    joined = pairs.by_app(np.ones(3, np.bool_))
    assert joined.uid.tolist() == [1, 2]
    assert found["all"] == pytest.approx([(1 * 1 + 3 * 0.2) / 4, 0.7])
    np.testing.assert_array_equal(found["half"], [1.0, np.nan])
    only = np.array([text == "c.example" for text in (pairs.destination.text(k) for k in range(3))])
    assert averaged({"all": column}, pairs, only)["all"] == pytest.approx([0.7])


def test_columns_of_a_prefix_know_nothing_of_later_contacts(made):
    made.polls(60.0 * np.arange(40), uid=10_001)
    made.polls(2400 + np.cumsum(np.arange(1, 60) * 7.0), uid=10_001, up=70_000)
    states(made)
    found = measured(made.telemetry(), LIMITS)
    (part,) = found.parts
    prefix = part.crowd.taken(np.array([0]), np.array([40]))
    early = columns_of(prefix, prefix.last, found.known, LIMITS)
    del made.rows["flows"][40:]
    made.rows["device_state"] = [row for row in made.rows["device_state"] if row["time"] <= prefix.last[0]]
    made.span_s = prefix.last[0] / US
    alone = one(made.telemetry())
    for name, column in early.items():
        np.testing.assert_array_equal(column[0], alone[name], err_msg=name)
    assert alone["size_constancy"] > found.columns["size_constancy"][0], "control: the later ones count in the whole"


def test_pairs_and_groups_have_the_parts_of_the_gate(made):
    made.flow(1, name="a.example")
    known = Surroundings.read(made.telemetry(), LIMITS.ignored_ports)
    found = pair_columns(known.flow_pairs, known)
    beside = {"gate", "baseline", "fleet", "prevalence", "elsewhere", "adoption", "own_app", "known_domain"}
    assert set(found) == {*PARTS, *beside}
    assert {len(column) for column in found.values()} == {1}
