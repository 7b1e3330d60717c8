"""Every behaviour of a phone plans each of its lives by itself, with generators that nobody else's plan moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.authoring.behaviour_rows import behaviour_plan
from lab.authoring.plans import AppPlan
from lab.behaviours import Window
from lab.habits.clock import inside
from lab.habits.firewall import LISTED
from lab.phones.phone import DAY, plan_day
from lab.phones.profile import PROFILES
from lab.phones.radio import steady, travelling
from lab.world.planning import planned, tasks

POLL = behaviour_plan("http-poll", {"period": "10m"})
BROWSE = behaviour_plan("web-browsing", {})
APPS = [
    AppPlan("com.a.one", "One", "tools", (), False, 1, (POLL, BROWSE, POLL)),
    AppPlan("com.b.two", "Two", "system", (), False, 1, (POLL,)),
]


@pytest.fixture(scope="module")
def day():
    return plan_day(np.random.default_rng(1), PROFILES["office-worker"], ["tools", "system"], 0, DAY)


def todo(day, apps=APPS):
    window = Window(DAY, day.uses[:0], day.unlocked, day.screen_on, day.doze.asleep, day.doze.maintenance, day.charging)
    return list(tasks((1, "x"), "phone-01", apps, day, window))


def starts(parts):
    return [[part.batch.start.tolist() for part in each] for each in parts]


def test_a_key_ends_in_the_kind_and_which_of_it_this_is(day):
    assert [task.key[-2:] for task in todo(day)] == [
        ("http-poll", 0),
        ("web-browsing", 0),
        ("http-poll", 1),
        ("http-poll", 0),
    ]


def test_apps_know_their_own_use_and_what_came_with_the_phone_has_no_bucket(day):
    found = todo(day)
    assert len(found[0].window.foreground) == (day.front == 0).sum() > 0
    assert len(found[0].window.standby) > 0 == len(found[3].window.standby)


def test_a_plan_does_not_depend_on_its_neighbours(day):
    whole = starts(planned(todo(day), steady(0, DAY)))
    assert whole[0] != whole[2]
    assert starts(planned(todo(day)[:1], steady(0, DAY))) == whole[:1]


def test_a_move_makes_a_second_part_with_a_zone_of_its_own(day):
    moving = [replace(APPS[0], moves=DAY // 2), APPS[1]]
    first, second = planned(todo(day, moving), steady(0, DAY))[0]
    assert first.batch.start.max() < DAY // 2 <= second.batch.start.min()
    assert first.zone != second.zone
    assert first.rng.random() != second.rng.random()


def test_no_conversation_outlasts_its_network(day):
    radio = travelling(np.random.default_rng(2), PROFILES["office-worker"].places, 0, DAY)
    assert len(radio.switches) > 0
    for parts in planned(todo(day), radio):
        for part in parts:
            of = [np.searchsorted(radio.switches, times) for times in (part.batch.start + 1, part.batch.close)]
            assert (of[0] == of[1]).all()


def test_failed_alarms_are_not_tried_again_in_doze(day):
    doze, kind = day.doze.asleep, "periodic-sync"
    found = []
    for exempt in (False, True):
        given = {"period": "5m", "wake": "alarm", "ration": "9m", "failures": 0.7}
        app = replace(APPS[0], behaviours=(behaviour_plan(kind, given),), exempt=exempt)
        starts = planned(todo(day, [app]), steady(0, DAY))[0][0].batch.start
        gaps = np.diff(np.sort(starts[inside(starts, doze)]))
        found.append(gaps[gaps >= LISTED].min())
    assert found[0] >= 540_000_000 - LISTED
    assert found[1] < 60_000_000, "the negative control: the exempt try again"
