"""The days before: the same phones, apps and hosts, other hours, nothing that comes later, nothing labelled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lab.errors import ScenarioError
from lab.scenario import compile_blocks, compile_scenario, enlarged, find_scenario, load_scenario, parse_scenario
from lab.timeline import NAME_LOOKUP
from lab.world.joining import joined
from lab.world.past import DAY, LONGEST, Past

LEARN = Past(3 * DAY)
TWO_POLLS = """question = "Which of two polls is there before?"
span = "12h"
devices = 3
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
period = "7m"
label = "AN1793"
[[app.behaviour]]
kind = "http-poll"
period = "11m"
"""


def two_polls(devices=3):
    made = parse_scenario(TWO_POLLS.encode(), name="two-polls", place="two-polls.toml")
    return enlarged([made], devices)[0]


@cache
def both(name):
    made = load_scenario(find_scenario(name))
    return compile_scenario(made, 1), compile_scenario(made, 1, LEARN)


def contacted(timeline, package=None):
    """Who speaks to whom: (device, package, behaviour, name or address, domain)."""
    said, hosts = timeline.conversations, [host.name or host.address for host in timeline.hosts]
    rows = set(zip(said.app.tolist(), said.behaviour.tolist(), said.host.tolist(), strict=True))
    apps = timeline.apps
    found = {(apps[app].device, apps[app].package, timeline.behaviours[kind], hosts[host]) for app, kind, host in rows}
    return {row for row in found if row[2] != NAME_LOOKUP and package in {None, row[1]}}


def packages(timeline, device=None):
    return {app.package for app in timeline.apps if device in {None, app.device}}


def same(one, two):
    tables = [(t.conversations, t.exchanges, t.states) for t in (one, two)]
    return all(
        np.array_equal(column, vars(b)[name]) for a, b in zip(*tables, strict=True) for name, column in vars(a).items()
    )


def labelled(timeline):
    return [one.incident for one in timeline.incidents]


@pytest.mark.parametrize("name", ["https-poll-5m", "ordinary-day", "roaming-4m-fleet"])
def test_phones_apps_and_most_hosts_stay(name):
    now, before = both(name)
    assert [(one.name, one.address, one.mac, one.downlink_bps) for one in now.devices] == [
        (one.name, one.address, one.mac, one.downlink_bps) for one in before.devices
    ]
    looks = {(one.device, one.package): (one.uid, one.agent, one.stack, one.category) for one in now.apps}
    assert {
        (one.device, one.package): (one.uid, one.agent, one.stack, one.category) for one in before.apps
    }.items() <= (looks.items())
    kinds = ("periodic-sync", "push-keepalive", "chat-websocket", "mail-imap")
    met = {row for row in contacted(now) if row[2] in kinds and row[1] in packages(before, row[0])}
    assert len(met) >= 3
    assert len(met & contacted(before)) > 0.95 * len(met)


def test_the_days_are_others_and_those_before():
    now, before = both("https-poll-5m")
    assert (before.start, before.span) == (now.start - LEARN.learn, LEARN.learn)
    said = before.conversations.start
    assert before.start <= said.min()
    assert before.conversations.close.max() < now.start
    first = [np.sort(one.conversations.start - one.start)[:200] for one in (now, before)]
    assert len(np.intersect1d(*first)) < 5


def test_the_present_is_the_same_whether_its_past_is_compiled_or_not():
    made = load_scenario(find_scenario("https-poll-5m"))
    one = compile_scenario(made, 1)
    compile_scenario(made, 1, LEARN)
    assert same(one, compile_scenario(made, 1))
    assert not same(one, compile_scenario(made, 1, Past(made.span)))


def test_the_same_past_is_the_same_and_in_blocks_too():
    made = enlarged([two_polls()], 23)[0]
    one, two = (compile_scenario(made, 5, LEARN) for _ in range(2))
    assert same(one, two)
    assert same(one, joined(list(compile_blocks(made, 5, LEARN))))


def test_what_is_labelled_is_left_out_and_what_its_app_does_besides_is_not():
    made = two_polls()
    now, before = compile_scenario(made, 1), compile_scenario(made, 1, LEARN)
    assert len(labelled(now)) == 3
    assert labelled(before) == []
    bad = {now.hosts[host].name for host in now.conversations.host[now.conversations.incident >= 0].tolist()}
    good = {row[3] for row in contacted(now)} - bad
    assert {row[3] for row in contacted(before)} == good  # the second of its kind still is the second


def test_an_implant_planted_in_the_past_is_found_by_the_test_above():
    made = two_polls()
    now, before = compile_scenario(made, 1), compile_scenario(made, 1, replace(LEARN, poison=1.0))
    assert len(labelled(before)) == 3
    assert {row[3] for row in contacted(before)} == {row[3] for row in contacted(now)}


def test_poison_is_a_share_and_more_of_it_keeps_what_less_had():
    made = two_polls(60)
    made = replace(made, apps=tuple(replace(app, on=60) for app in made.apps))
    found = [set(labelled(compile_scenario(made, 3, Past(DAY // 8, share)))) for share in (0.0, 0.05, 0.3, 1.0)]
    assert not found[0]
    assert found[0] <= found[1] <= found[2] <= found[3]
    assert 9 <= len(found[2]) <= 27  # 18 of 60 expected
    assert len(found[3]) == 60


def test_apps_that_come_later_are_absent_those_that_go_are_there_and_nobody_has_moved():
    now, before = both("installed-moved-removed")
    assert {"com.tansy.conservatory", "com.robin.pocket"} <= packages(now)
    assert not {"com.tansy.conservatory", "com.robin.pocket"} & packages(before)
    domains = [{row[3].split(".")[-2] for row in contacted(one, "com.granary.summit")} for one in (now, before)]
    assert (len(domains[0]), len(domains[1])) == (2, 1)
    assert domains[1] < domains[0]
    gone = replace(load_scenario(find_scenario("installed-moved-removed")).apps[-1], removed=DAY)
    (kept,) = LEARN.apps((1, "x"), [gone], "phone-01")
    assert (kept.package, kept.removed) == (gone.package, None)


def test_weekdays_are_those_of_the_calendar():
    """Whoever works in an office is not there at the weekend; 2026-03-02 is a Monday."""
    text = TWO_POLLS.replace("devices = 3", 'devices = 3\n[state]\nprofile = "office-worker"\nnetworks = "roaming"')
    made = parse_scenario(text.encode(), name="two-polls", place="two-polls.toml")
    before = compile_scenario(made, 1, Past(7 * DAY))
    days = {
        (one.since - before.start) // DAY
        for device in before.devices
        for one in device.attachments
        if one.network == "work"
    }
    assert before.start // DAY == 20_514 - 7  # the Monday a week before
    assert days == {0, 1, 2, 3, 4}  # no office on Saturday and Sunday


def test_a_phone_keeps_its_addresses_on_every_network():
    text = TWO_POLLS.replace("devices = 3", 'devices = 3\n[state]\nnetworks = "roaming"')
    made = parse_scenario(text.encode(), name="two-polls", place="two-polls.toml")
    now, before = compile_scenario(replace(made, span=2 * DAY), 1), compile_scenario(made, 1, Past(4 * DAY))
    known = [{(one.network, one.address) for one in device.attachments} for device in now.devices]
    assert all(len(one) == 3 for one in known)
    assert known == [{(one.network, one.address) for one in device.attachments} for device in before.devices]


@pytest.mark.parametrize(
    ("learn", "shares", "fault"),
    [
        (0, {}, "past: found 0 days, expected more than 0 and at most 366 days"),
        (LONGEST + DAY, {}, "past: found 367 days, expected"),
        (DAY, {"poison": 1.5}, "poison: found 1.5, expected from 0 to 1"),
        (DAY, {"poison": float("nan")}, "poison: found nan, expected from 0 to 1"),
        (DAY, {"novel": -0.01}, "novel: found -0.01, expected from 0 to 1"),
        (DAY, {"novel": 1.01}, "novel: found 1.01, expected from 0 to 1"),
        (DAY, {"novel": float("nan")}, "novel: found nan, expected from 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused(learn, shares, fault):
    with pytest.raises(ScenarioError) as refused:
        Past(learn, **shares)
    assert fault in refused.value.faults[0]


def test_a_past_says_that_it_is_one():
    now, before = both("https-poll-5m")
    assert before.past == {"learn_s": 259_200.0, "poison": 0.0, "novel": 0.01}
    assert now.past == {}


def test_a_labelled_behaviour_that_is_silent_in_a_short_past_is_no_fault():
    before = compile_scenario(two_polls(), 1, Past(1_000_000, 1.0))
    assert labelled(before) == []
