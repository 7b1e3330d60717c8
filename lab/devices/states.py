"""How to bring a phone into a state by Android's own commands: input, wm, am, locksettings, deviceidle, battery. Pure.

Waking and pressing Home count as touches on every Android: a wanted state without interaction that needs them gets one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.timeline import POWER_STATES

_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_TOUCH = "input keyevent KEYCODE_SHIFT_LEFT"  # a key that does nothing by itself
_UNPLUG = "dumpsys battery unplug"
_UNFORCE = ["cmd deviceidle unforce", "dumpsys battery reset"]
_TO_POWER = {
    "interactive": _UNFORCE,
    "idle": _UNFORCE,
    "doze-light": [_UNPLUG, "cmd deviceidle force-idle light"],
    "doze-deep": [_UNPLUG, "cmd deviceidle force-idle deep"],
    "maintenance": [_UNPLUG, "cmd deviceidle force-idle deep", "cmd deviceidle step deep"],
}


@dataclass(frozen=True)
class PhoneState:
    """What a phone is told to be."""

    screen_on: bool
    locked: bool
    foreground: str | None  # package; None: the launcher
    power: str  # one of POWER_STATES


def state_commands(before: PhoneState | None, after: PhoneState, *, interaction: bool) -> list[str]:
    """The commands, in order. ``before`` is what the phone was last told; ``None`` (unknown) tells it everything.

    Raises ``ValueError`` for an unknown power state or what cannot be a package.
    """
    if after.power not in POWER_STATES:
        raise ValueError(f"expected a power state of {', '.join(POWER_STATES)}, found {after.power!r}")
    if after.foreground is not None and not _PACKAGE.fullmatch(after.foreground):
        raise ValueError(f"expected a package, found {after.foreground!r}")
    lit = before is not None and before.screen_on
    # who turns the screen off has had a finger on it until then; the power key itself is no user activity
    last_touch = [_TOUCH] if interaction and lit and not after.screen_on else []
    commands = [*last_touch, *_screen(before, after)]
    # an already lit screen (before is unknown) need not take a wake-up for a touch
    touched = before is not None and "input keyevent KEYCODE_WAKEUP" in commands
    if after.screen_on and not after.locked:
        shown = before.foreground if before and before.screen_on and not before.locked else ""
        if shown != after.foreground:
            commands.append(_front(after.foreground))
            touched = touched or after.foreground is None
    if interaction and after.screen_on and not touched:
        commands.append(_TOUCH)
    return commands + _power(before, after)


def _screen(before: PhoneState | None, after: PhoneState) -> list[str]:
    same = before is not None and (before.screen_on, before.locked) == (after.screen_on, after.locked)
    if same:
        return []
    lockable = f"locksettings set-disabled {'false' if after.locked else 'true'}"
    if not after.screen_on:
        awake_first = ["input keyevent KEYCODE_WAKEUP"] if before is None or not before.screen_on else []
        unlock = ["wm dismiss-keyguard"] if not after.locked and (before is None or before.locked) else []
        return [*(awake_first if unlock or after.locked else []), *unlock, lockable, "input keyevent KEYCODE_SLEEP"]
    if after.locked:
        # only falling asleep brings the keyguard down
        asleep = before is not None and not before.screen_on and before.locked
        return (
            ["input keyevent KEYCODE_WAKEUP"]
            if asleep
            else [
                "locksettings set-disabled false",
                "input keyevent KEYCODE_SLEEP",
                "input keyevent KEYCODE_WAKEUP",
            ]
        )
    wake = ["input keyevent KEYCODE_WAKEUP"] if before is None or not before.screen_on else []
    return [*wake, "wm dismiss-keyguard"]


def _front(package: str | None) -> str:
    if package is None:
        return "input keyevent KEYCODE_HOME"
    return f"am start -a android.intent.action.MAIN -c android.intent.category.LAUNCHER -p {package}"


def _power(before: PhoneState | None, after: PhoneState) -> list[str]:
    was = before.power if before else None
    awake = {"interactive", "idle"}
    if was == after.power or (was in awake and after.power in awake):
        return []
    if was == "doze-light" and after.power == "maintenance":
        return ["cmd deviceidle step light"]
    if was == "doze-deep" and after.power == "maintenance":
        return ["cmd deviceidle step deep"]
    if was in {"doze-deep", "maintenance"} and after.power == "doze-light":
        return [*_UNFORCE, *_TO_POWER["doze-light"]]  # deep idling overrides light idling
    return list(_TO_POWER[after.power])
