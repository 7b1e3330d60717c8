"""From state to state by the fewest of Android's commands."""

from __future__ import annotations

import itertools

import pytest

from lab.devices.states import _TO_POWER, PhoneState, state_commands
from lab.timeline import POWER_STATES

ON = PhoneState(screen_on=True, locked=False, foreground=None, power="interactive")
OFF = PhoneState(screen_on=False, locked=True, foreground=None, power="idle")
WAKE, SLEEP = "input keyevent KEYCODE_WAKEUP", "input keyevent KEYCODE_SLEEP"


def in_front(package):
    return PhoneState(screen_on=True, locked=False, foreground=package, power="interactive")


def with_power(power):
    return PhoneState(screen_on=False, locked=True, foreground=None, power=power)


def test_every_power_state_has_its_way():
    assert set(_TO_POWER) == set(POWER_STATES)


@pytest.mark.parametrize(
    ("before", "after", "commands"),
    [
        (ON, ON, []),
        (OFF, OFF, []),
        (ON, OFF, ["locksettings set-disabled false", SLEEP]),
        (OFF, ON, [WAKE, "wm dismiss-keyguard", "input keyevent KEYCODE_HOME"]),
        (ON, in_front("a.b"), ["am start -a android.intent.action.MAIN -c android.intent.category.LAUNCHER -p a.b"]),
        (in_front("a.b"), ON, ["input keyevent KEYCODE_HOME"]),
        (OFF, PhoneState(True, True, None, "interactive"), [WAKE]),
        (ON, PhoneState(True, True, None, "interactive"), ["locksettings set-disabled false", SLEEP, WAKE]),
        (ON, PhoneState(False, False, None, "idle"), ["locksettings set-disabled true", SLEEP]),
        (
            OFF,
            PhoneState(False, False, None, "idle"),
            [WAKE, "wm dismiss-keyguard", "locksettings set-disabled true", SLEEP],
        ),
        (OFF, with_power("doze-light"), ["dumpsys battery unplug", "cmd deviceidle force-idle light"]),
        (with_power("doze-light"), with_power("maintenance"), ["cmd deviceidle step light"]),
        (with_power("doze-deep"), with_power("maintenance"), ["cmd deviceidle step deep"]),
        (
            with_power("doze-deep"),
            with_power("doze-light"),
            [
                "cmd deviceidle unforce",
                "dumpsys battery reset",  # asleep and unplugged, it would stay idle and light idling out of reach
                "dumpsys battery unplug",
                "cmd deviceidle force-idle light",
            ],
        ),
        (with_power("doze-deep"), OFF, ["cmd deviceidle unforce", "dumpsys battery reset"]),
    ],
)
def test_commands(before, after, commands):
    assert state_commands(before, after, interaction=False) == commands


def test_a_touch_is_told_once():
    touch = ["input keyevent KEYCODE_SHIFT_LEFT"]
    assert state_commands(ON, ON, interaction=True) == touch
    assert state_commands(OFF, OFF, interaction=True) == []  # nobody touches a dark screen
    assert touch[0] not in state_commands(OFF, ON, interaction=True)  # waking is a touch
    assert touch[0] in state_commands(None, in_front("a.b"), interaction=True)  # perhaps it was awake


def test_an_unknown_phone_is_told_everything():
    told = state_commands(None, ON, interaction=False)
    assert told[:2] == [WAKE, "wm dismiss-keyguard"]
    assert told[-2:] == ["cmd deviceidle unforce", "dumpsys battery reset"]
    assert state_commands(None, OFF, interaction=False)[:3] == [WAKE, "locksettings set-disabled false", SLEEP]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="power state"):
        state_commands(ON, with_power("asleep"), interaction=False)
    with pytest.raises(ValueError, match="package"):
        state_commands(ON, in_front("a; reboot"), interaction=False)


def test_only_androids_own_commands_are_used():
    states = [
        PhoneState(on, locked, front, power)
        for on, locked, front, power in itertools.product((True, False), (True, False), (None, "a.b"), POWER_STATES)
    ]
    words = {
        command.split()[0]
        for before, after in itertools.product([None, *states], states)
        for command in state_commands(before, after, interaction=True)
    }
    assert words == {"input", "wm", "am", "locksettings", "cmd", "dumpsys"}
