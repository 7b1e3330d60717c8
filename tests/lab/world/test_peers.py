"""Peers: whose host it is, who shares it, and that nobody stands for who is not spoken to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.authoring.plans import AppPlan
from lab.behaviours import SECOND, Speech
from lab.habits.draft import Draft
from lab.world.cast import Cast
from lab.world.peers import NOBODY, peer_keys, rows_of, zone_of

WHEN = ((), ("past",))


def batch(*reaches, spoken):
    draft = Draft(1_000 * SECOND)
    speech = draft.web()
    for reach in reaches:
        draft.peer(reach)
    for place in spoken:
        draft.calls(speech, place, np.array([place * SECOND]), up=400, down=300, delay=1_000)
    return draft.batch()


def rows(cast, made, device="phone-01", zone="com.a.b"):
    keys = peer_keys(made, device, zone, (1, "x", device, "com.a.b", "http-poll", 0))
    return rows_of(cast, made, zone, keys).tolist()


def test_nobody_stands_for_a_peer_that_is_not_spoken_to():
    cast = Cast((1, "x"))
    found = rows(cast, batch("vendor", "tail", "popular", "fresh", "vendor", spoken=[1, 4]))
    assert [row == NOBODY for row in found] == [True, False, True, True, False]
    assert len(cast.hosts) == 2


def test_a_peer_named_in_a_speech_is_somebody():
    made = batch("literal", "vendor", spoken=[0])
    made = replace(made, speeches=(Speech("socks5", options={"target": "@1:443"}),))
    assert NOBODY not in rows(Cast((1, "x")), made)


@pytest.mark.parametrize(
    ("reach", "shared"),
    [("vendor", True), ("tenant", True), ("literal", True), ("own", False), ("fresh", False), ("lan", False)],
)
def test_phones_share_what_belongs_to_the_package(reach, shared):
    cast = Cast((1, "x"))
    made = batch(reach, reach, spoken=[0, 1])
    one, two = rows(cast, made, "phone-01"), rows(cast, made, "phone-02")
    assert (one == two) is shared
    assert len(set(one)) == 2


@pytest.mark.parametrize("reach", ["vendor", "tenant", "own", "fresh"])
def test_a_moved_app_has_hosts_under_another_domain(reach):
    cast = Cast((1, "x"))
    made = batch(reach, spoken=[0])
    plan = AppPlan("com.a.b", "B", "tools", (), False, 1, ())
    before, after = (rows(cast, made, zone=zone_of(plan, moved=moved))[0] for moved in (False, True))
    names = [cast.hosts[row].name.rsplit(".", 2)[-2:] for row in (before, after)]
    assert names[0] != names[1]
    assert zone_of(plan, moved=False) == "com.a.b"


def test_popular_hosts_do_not_move():
    cast = Cast((1, "x"))
    made = batch("popular", "tail", spoken=[0, 1])
    assert rows(cast, made, zone="com.a.b") == rows(cast, made, zone="com.a.b moved")


def test_an_app_talks_to_the_same_popular_hosts_on_all_phones_and_people_choose_their_own():
    cast = Cast((1, "x"))
    api, sites = (batch(*["popular"] * count, spoken=range(count)) for count in (2, 40))
    assert rows(cast, api, "phone-01") == rows(cast, api, "phone-02")
    one, two = rows(cast, sites, "phone-01"), rows(cast, sites, "phone-02")
    assert 0 < len(set(one) & set(two)) < 40


@pytest.mark.parametrize("reach", ["vendor", "tenant", "literal", "own", "fresh", "tail", "popular", "lan"])
def test_who_is_met_in_passing_is_another_on_other_days(reach):
    cast, key = Cast((1, "x")), (1, "x", "phone-01", "com.a.b", "http-poll", 0)
    made = batch(reach, reach, spoken=[0, 1])
    made = replace(made, peers=(made.peers[0], replace(made.peers[1], passing=True)))
    now, before = (rows_of(cast, made, "com.a.b", peer_keys(made, "phone-01", "com.a.b", key, when)) for when in WHEN)
    assert now[0] == before[0]
    assert now[1] != before[1]
    one, other = (cast.hosts[row].name for row in (now[1], before[1]))
    if reach == "fresh":
        assert one.split(".")[-2:] != other.split(".")[-2:]  # nobody else has the domain, nor had
