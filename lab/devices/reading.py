"""One reading of a phone's state: the command that asks everything at once, and what its answer says. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.devices import dumpsys, usage

_MARK = "==droidrange "
# what is long on a real phone (usagestats: megabytes) is narrowed there
_QUESTIONS = {
    "date": "date '+%s.%N %z'",
    "power": "dumpsys power",
    "window": "dumpsys window policy",
    "activity": "dumpsys activity activities | grep -E 'ResumedActivity|mKeyguardShowing'",
    "usagestats": "dumpsys usagestats | grep -E 'type=(SCREEN|KEYGUARD|ACTIVITY_RESUMED|MOVE_TO_F)' | tail -n 50",
    "deviceidle": "dumpsys deviceidle | grep -E 'm(Light)?State=|mForceIdle|mScreenOn|mCharging'",
}
READ_COMMAND = "; ".join(f"echo '{_MARK}{name}'; {command} 2>/dev/null" for name, command in _QUESTIONS.items())


@dataclass(frozen=True)
class Reading:
    """A phone's state. ``None``: no source said it. Times are microseconds of the device's own clock."""

    time_us: int | None
    screen_on: bool | None
    locked: bool | None
    foreground: str | None  # package; None also when nothing is in front
    last_interaction_us: int | None
    power_state: str | None  # one of lab.timeline.POWER_STATES
    clock_offset_us: int | None = None  # device clock minus ours
    clock_doubt_us: int | None = None  # half the round trip: the offset may be off by so much

    def lab_time_us(self) -> int | None:
        """When it was, by the lab's clock."""
        return None if self.time_us is None or self.clock_offset_us is None else self.time_us - self.clock_offset_us


def parse_reading(text: str, *, asked_us: int | None = None, answered_us: int | None = None) -> Reading:
    """What an answer to ``READ_COMMAND`` says. ``asked_us``, ``answered_us``: our clock just before and after.

    The device's clock is read first on the device, so the offset is measured against ``asked_us``; starting the shell
    comes between, which makes the device look ahead by that (milliseconds); the round trip bounds the doubt.
    """
    parts = {name: _part(text, name) for name in _QUESTIONS}
    time_us, utc_offset_s = _date(parts["date"])
    power = dumpsys.parse_power(parts["power"])
    idle = dumpsys.parse_deviceidle(parts["deviceidle"])
    activities = dumpsys.parse_activities(parts["activity"])
    events = usage.parse_events(parts["usagestats"], utc_offset_s)
    # locked if either report of now says so; the history only where both are silent
    now = [flag for flag in (dumpsys.parse_window(parts["window"]).keyguard, activities.keyguard) if flag is not None]
    screen_on = _first(power.screen_on, idle.screen_on, usage.last_screen(events))
    offset_us = doubt_us = None
    if time_us is not None and asked_us is not None and answered_us is not None:
        offset_us, doubt_us = time_us - asked_us, answered_us - asked_us
    age_ms = power.activity_age_ms
    return Reading(
        time_us=time_us,
        screen_on=screen_on,
        locked=any(now) if now else usage.last_keyguard(events),
        foreground=activities.resumed if screen_on is not False else None,
        last_interaction_us=time_us - age_ms * 1000 if time_us is not None and age_ms is not None else None,
        power_state=dumpsys.power_state(idle, screen_on=screen_on),
        clock_offset_us=offset_us,
        clock_doubt_us=doubt_us,
    )


def _part(text: str, name: str) -> str:
    found = re.search(rf"^{re.escape(_MARK + name)}\r?$(.*?)(?=^{re.escape(_MARK)}|\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def _date(text: str) -> tuple[int | None, int]:
    """(microseconds since the epoch, seconds east of UTC); without fractions (old toybox) whole seconds."""
    found = re.search(r"(\d{1,12})(?:\.(\d{1,9})|\.\S*)? ([+-])(\d\d)(\d\d)\b", text)
    if found is None:
        return None, 0
    fraction = int((found[2] or "0").ljust(9, "0")) // 1000
    east_s = int(found[4]) * 3600 + int(found[5]) * 60
    return int(found[1]) * 1_000_000 + fraction, east_s if found[3] == "+" else -east_s


def _first(*said: bool | None) -> bool | None:
    return next((answer for answer in said if answer is not None), None)
