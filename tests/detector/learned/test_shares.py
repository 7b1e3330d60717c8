"""Shares by subtraction, held against counting by hand over small random fleets."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.columns import NULL
from detector.learned.shares import STRANGER, Pairs, Vouching

CATEGORY = (0, 0, 1, NULL)  # of four packages
PAIR = st.tuples(st.integers(0, 3), st.integers(-1, 3), st.integers(0, 4))
ASKED = st.tuples(
    st.sampled_from([STRANGER, 0, 1, 2, 3]), st.sampled_from([STRANGER, NULL, 0, 1, 2, 3]), st.integers(0, 4)
)


def vouching(pairs):
    device, package, destination = (np.array(c, np.int64) for c in zip(*pairs, strict=True))
    category = np.append(np.array(CATEGORY), NULL)[package]
    return Vouching(Pairs(device, package, category, destination, destination + 1, (4, 4, 2, 5)))


def columns(asked):
    return tuple(np.array(column, np.int64) for column in zip(*asked, strict=True))


def ratio(part, whole):
    return len(part) / len(whole) if whole else math.nan


def by_hand(pairs, d, p, t):
    category = CATEGORY[p] if p >= 0 else NULL
    has = {(e, q) for e, q, _ in pairs}
    app = {e for e, q in has if q == p and e != d and p != NULL}
    kin = {(e, q) for e, q in has if q not in (p, NULL) and CATEGORY[q] == category != NULL and e != d}
    fleet = {e for e, _, _ in pairs if e != d}
    known = d in {e for e, _, _ in pairs}
    return {
        "own": (t + 1 if (d, p, t) in pairs else 0) if known else math.nan,
        "app": ratio({e for e in app if (e, p, t) in pairs}, app),
        "apps": len(app) if p != NULL else math.nan,
        "category": ratio({(e, q) for e, q in kin if (e, q, t) in pairs}, kin),
        "kin": len(kin) if p != NULL and category != NULL else math.nan,
        "phones": len(fleet),
        "fleet": ratio({e for e in fleet if any((e, q, t) in pairs for q in range(-1, 4))}, fleet),
    }


@given(st.sets(PAIR, min_size=1, max_size=30), st.lists(ASKED, min_size=1, max_size=8))
def test_shares_are_those_counted_without_the_device_itself(pairs, asked):
    counts = vouching(sorted(pairs))
    device, package, destination = columns(asked)
    category = np.append(np.array(CATEGORY), NULL)[np.where(package < 0, -1, package)]
    app, apps = counts.of_app(device, package, destination)
    kind, kin = counts.of_category(device, package, category, destination)
    fleet, phones, _ = counts.of_fleet(device, destination)
    found = {
        "own": counts.own_days(device, package, destination),
        "app": app,
        "apps": apps,
        "category": kind,
        "kin": kin,
        "fleet": fleet,
        "phones": phones,
    }
    for k, (d, p, t) in enumerate(asked):
        for name, expected in by_hand(pairs, d, p, t).items():
            np.testing.assert_equal(found[name][k], float(expected), err_msg=f"{name} of {d, p, t}")


def test_the_device_under_judgement_never_vouches_for_itself():
    counts = vouching([(0, 0, 0), (1, 0, 1), (2, 0, 1)])
    shares, others = counts.of_app(*columns([(0, 0, 0), (1, 0, 1)]))
    assert shares.tolist() == [0.0, 0.5]
    assert others.tolist() == [2.0, 2.0]


def test_a_baseline_of_nothing_knows_nothing():
    nothing = np.zeros(0, np.int64)
    counts = Vouching(Pairs(nothing, nothing, nothing, nothing, nothing, (0, 0, 0, 0)))
    asked = columns([(STRANGER, STRANGER, STRANGER)])
    assert np.isnan(counts.own_days(*asked)).all()
    assert np.isnan(counts.of_app(*asked)[0]).all()
    assert np.isnan(counts.of_fleet(asked[0], asked[2])[0]).all()
