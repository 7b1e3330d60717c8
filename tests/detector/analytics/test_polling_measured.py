"""The groups of AN1793 and their columns: who is grouped, in which key, and that nothing is kept between calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.analytics.command_polling import command_polling
from detector.analytics.polling_measured import is_rare, joined_codes, measured
from detector.baseline import learn
from detector.columns import NULL, Codes
from detector.contacts import RARE
from detector.signature import Signature
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
LEAST = LIMITS.connection_frequency_threshold
BY = Signature("builtin", "test", partial=False)
TORCH = {"uid": 10_001, "package": "com.example.torch"}


def new_day():
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    return Made()


def whom(found):
    return [found.destination.text(k) for k in range(len(found))]


def rotating(made, *, every=1, many=60):
    """Contacts of one app with names of which each is seen ``every`` times, and a past that knows the app only."""
    for k in range(many):
        made.flow(300.0 * k, name=f"r{k // every}.rot{k // every}.example", server=f"198.18.7.{k // every}", **TORCH)
    past = new_day()
    past.polls(600.0 * np.arange(2), name="www.torch.example", **TORCH)
    return replace(made.telemetry(), baseline=learn(past.telemetry()))


def test_nothing_makes_no_group(made):
    for add in (lambda: None, lambda: made.polls(60.0 * np.arange(LEAST - 1))):
        add()
        found = measured(made.telemetry(), LIMITS)
        assert len(found) == 0
        assert len(found.first) == len(found.rows(0) if len(found) else found.uid) == 0
        assert whom(found) == []
        with pytest.raises(IndexError, match="found 0 groups"):
            found.place(0)
    made.flow(60.0 * LEAST)
    assert len(measured(made.telemetry(), LIMITS)) == 1, "control: one contact more"


def test_groups_say_who_what_and_when(made):
    made.polls(60.0 * np.arange(9), name="a.site.example", **TORCH)
    made.polls(7 + 60.0 * np.arange(8), server="198.18.0.4", device="phone-02")
    for k in range(7):
        made.lookup(11 + 60.0 * k, f"x{k}.zone.example", device="phone-03", uid=1051)
    made.app(10_001, "com.example.torch", "tools")
    found = measured(made.telemetry(), LIMITS)
    told = {
        found.destination.text(k): (
            found.device.text(k),
            int(found.uid[k]),
            found.package.text(k),
            found.category.text(k),
            bool(found.looked_up[k]),
            len(found.contacts(k)),
            len(found.rows(k)),
        )
        for k in range(len(found))
    }
    assert told == {
        "site.example": ("phone-01", 10_001, "com.example.torch", "tools", False, 9, 9),
        "198.18.0.4": ("phone-02", NULL, None, None, False, 8, 8),
        "zone.example": ("phone-03", 1051, None, None, True, 7, 7),
    }
    assert {len(column) for column in found.columns.values()} == {3}
    assert [part.crowd.looked_up for part in found.parts] == [False, True]
    for k in range(3):
        assert (found.first[k], found.last[k]) == tuple(found.contacts(k).times[[0, -1]])
        part, number = found.place(k)
        assert {name: column[number] for name, column in part.columns.items()} == pytest.approx(
            {name: column[k] for name, column in found.columns.items()}, nan_ok=True
        )


def test_the_second_key_joins_what_rotates_and_says_so(made):
    found = measured(rotating(made), LIMITS)
    assert whom(found) == [RARE]
    assert is_rare(RARE)
    assert not is_rare("rare.example")
    assert found.columns["contacts"].tolist() == [60]
    assert np.isnan(found.columns["contact_rate"]).all()
    assert found.columns["gate"][0] > 0.9
    assert len(measured(made.telemetry(), LIMITS)) == 0, "alone and unlearned nobody can say what is rare"


@pytest.mark.parametrize(("first", "joined"), [(29, True), (30, False)])
def test_what_has_half_the_rows_is_no_rotation(made, first, joined):
    """Of sixty contacts ``first`` are with one name; it has a group of its own, joined or not."""
    telemetry = rotating(made)
    for row in made.rows["flows"][:first]:
        row |= {"name": "r.main.example", "server": "198.18.7.255"[:-1]}
    found = measured(replace(made.telemetry(), baseline=telemetry.baseline), LIMITS)
    assert set(whom(found)) == ({RARE, "main.example"} if joined else {"main.example"})


def test_what_the_app_did_before_is_not_joined(made):
    telemetry = rotating(made)
    again = replace(telemetry, baseline=learn(made.telemetry()))
    assert whom(measured(telemetry, LIMITS)) == [RARE]
    assert whom(measured(again, LIMITS)) == []


def test_a_part_without_groups_is_left_out(made):
    made.flow(1, name="a.example")
    for k in range(7):
        made.lookup(11 + 60.0 * k, f"x{k}.zone.example", uid=1051)
    (part,) = measured(made.telemetry(), LIMITS).parts
    assert part.crowd.looked_up


texts = st.lists(st.one_of(st.none(), st.sampled_from("abc")), max_size=6)


@given(parts=st.lists(texts, max_size=4))
def test_joined_codes_are_the_rows_one_after_another(parts):
    columns = []
    for rows in parts:
        names = sorted({text for text in rows if text}, reverse=True)
        columns.append(Codes(np.array([NULL if t is None else names.index(t) for t in rows], np.int64), names))
    found = joined_codes(columns)
    assert [found.text(k) for k in range(len(found.code))] == [text for rows in parts for text in rows]
    assert found.texts == sorted(set(found.texts))


def findings(telemetry):
    return [one.to_json() for one in command_polling(telemetry, LIMITS, BY)]


@settings(max_examples=12)
@given(order=st.randoms(use_true_random=False), kept=st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_findings_do_not_depend_on_the_order_of_rows_and_nothing_is_remembered(order, kept):
    made = new_day()
    for k in set(kept):
        made.polls(3 + 11 * k + 300.0 * np.arange(100), name=f"c.s{k}.example", device=f"phone-{k % 3}", uid=k % 2)
    telemetry = rotating(made)
    before = findings(telemetry)
    assert len(before) > len(set(kept)) / 2, "these speak of something"
    other = new_day()
    other.polls(60.0 * np.arange(90), name="other.example", device="phone-0", uid=0)
    findings(other.telemetry())
    for rows in made.rows.values():
        order.shuffle(rows)
    assert findings(replace(made.telemetry(), baseline=telemetry.baseline)) == before
    assert findings(telemetry) == before


def of_phone(telemetry):
    """The findings of phone-01, without the reason that tells of other devices now."""
    rows = [row for row in findings(telemetry) if row["device"] == "phone-01"]
    return [row | {"reasons": [one for one in row["reasons"] if one["feature"] != "prevalence"]} for row in rows]


def test_findings_of_one_device_do_not_depend_on_what_others_do_now(made):
    """With a learned baseline; without one the fleet at hand is asked, and says so."""
    baseline = rotating(made).baseline
    made.polls(150.0 * np.arange(40), name="c2.own.example", **TORCH)
    alone = of_phone(replace(made.telemetry(), baseline=baseline))
    assert len(alone) == 2
    for k in range(3):
        for name in ("c2.own.example", "c2.else.example"):
            made.polls(13 + 170.0 * np.arange(300), name=name, device=f"other-{k}", uid=10_001, up=77 * k)
        made.state(500 * k, locked=k == 1, foreground=4, device=f"other-{k}")
    assert len(findings(replace(made.telemetry(), baseline=baseline))) > len(alone)
    assert of_phone(replace(made.telemetry(), baseline=baseline)) == alone
    assert of_phone(made.telemetry())[-1]["score"] < alone[-1]["score"], "control: unlearned, the fleet is asked"


def test_a_baseline_is_asked_if_there_is_one(made):
    made.polls(300.0 * np.arange(100), name="c2.example", **TORCH)
    assert measured(made.telemetry(), LIMITS).columns["baseline"].tolist() == [0]
    usual = measured(replace(made.telemetry(), baseline=learn(made.telemetry())), LIMITS)
    assert usual.columns["baseline"].tolist() == [1]
    assert usual.columns["own_days"].tolist() == [1]
    assert usual.columns["fleet_new"].tolist() == [0]
