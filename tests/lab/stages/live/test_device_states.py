"""A phone's day: every state told at its time, read back, skipped when over, and a fault kept."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

from lab.stages.live.device_states import DeviceDay, Wanted, account, wanted_states
from lab.stages.live.pace import state_courses
from lab.timeline import POWER_STATES


class Phone:
    def __init__(self, *, slow=0.0, breaks_at=None) -> None:
        self.told, self.slow, self.breaks_at = [], slow, breaks_at

    def set_state(self, **state) -> None:
        time.sleep(self.slow)
        if len(self.told) == self.breaks_at:
            raise RuntimeError("device offline")
        self.told.append(state)

    def read_state(self):
        return self.told[-1]


def day(phone, times_ms) -> DeviceDay:
    wanted = [Wanted(ms * 1000, ms % 2 == 0, ms % 2 == 1, None, "interactive", True) for ms in times_ms]
    made = DeviceDay(phone, wanted, time.time_ns() // 1000)
    asyncio.run(made.live())
    return made


def test_every_state_is_told_and_read_back() -> None:
    phone = Phone()
    made = day(phone, [0, 1, 20])
    assert len(made.readings) == 3
    assert phone.told == made.readings
    assert [state["locked"] for state in phone.told] == [False, True, False]
    assert (made.skipped, made.faults) == (0, [])


def test_states_that_are_over_are_skipped_and_counted_but_never_the_last() -> None:
    made = day(Phone(slow=0.4), [0, 1, 2, 3, 4])
    assert made.skipped > 0
    assert made.skipped + len(made.readings) == 5
    assert made.readings[-1]["screen_on"] is True


def test_a_lost_phone_is_a_fault() -> None:
    made = day(Phone(breaks_at=1), [0, 1, 2])
    assert made.faults == ["device state: device offline"]
    assert len(made.readings) == 1


def test_the_timeline_s_states_are_wanted_in_order(script_of_scenario) -> None:
    timeline = script_of_scenario("live-https")[0]
    wanted = wanted_states(timeline, 0, state_courses(timeline, 60.0)[timeline.devices[0].name])
    assert len(wanted) == int((timeline.states.device == 0).sum())
    assert [state.real_us for state in wanted] == sorted(state.real_us for state in wanted)
    assert {state.power for state in wanted} <= set(POWER_STATES)
    packages = {app.package for app in timeline.apps}
    assert {state.foreground for state in wanted} - {None} <= packages
    assert max(state.real_us for state in wanted) <= timeline.span / 50


def test_what_was_told_skipped_and_not_said_is_counted() -> None:
    def reading(time_us=1, **values):
        known = {"screen_on": True, "locked": False, "power_state": "interactive", **values}
        return SimpleNamespace(lab_time_us=lambda: time_us, **known)

    whole = [reading(), reading(screen_on=False)]
    partial = [reading(None), reading(screen_on=None), reading(locked=None), reading(power_state=None)]
    days = [SimpleNamespace(readings=whole, skipped=2), SimpleNamespace(readings=partial, skipped=1)]
    assert account(days) == {"told": 6, "skipped": 3, "unread": 4}
    assert account([]) == {"told": 0, "skipped": 0, "unread": 0}
