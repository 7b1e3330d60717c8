"""The table of a phone's states: one row whenever the screen, the lock, the app in front or the power state changes."""

from __future__ import annotations

import numpy as np

from lab.behaviours import Int64
from lab.habits.clock import inside, interval_of
from lab.phones.phone import TOUCH_EVERY, Day
from lab.timeline import POWER_STATES, States


def state_table(day: Day, device: int, first_app: int, start: int, span: int) -> States:
    """The states of one device; ``first_app`` is the timeline's row of the app that ``day.front`` calls 0."""
    touches = _touches(day.touched)
    edges = (day.screen_on, day.unlocked, day.uses, day.doze.light, day.doze.deep, day.doze.maintenance)
    time = np.unique(np.concatenate([[0], touches, *(edge.ravel() for edge in edges)])).astype(np.int64)
    time = time[time < span]
    screen_on, unlocked = inside(time, day.screen_on), inside(time, day.unlocked)
    use = interval_of(time, day.uses)
    front = day.front[np.maximum(use, 0)] + first_app if len(day.front) else np.full(len(time), -1)
    return States(
        time=time + start,
        device=np.full(len(time), device, dtype=np.int32),
        screen_on=screen_on,
        locked=~unlocked,
        foreground=np.where(use >= 0, front, -1).astype(np.int32),
        last_interaction=_last_interaction(time, touches) + start,
        power=_power(time, day),
    )


def _touches(touched: Int64) -> Int64:
    """When somebody touches the phone: at unlocking, regularly during use, and when turning it off."""
    parts = [np.append(np.arange(begin, end, TOUCH_EVERY), end) for begin, end in touched.tolist()]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)


def _last_interaction(time: Int64, touches: Int64) -> Int64:
    """The last touch at or before each time; before the first touch, the beginning of the scenario."""
    index = np.searchsorted(touches, time, side="right") - 1
    known = touches[np.maximum(index, 0)] if len(touches) else np.zeros(len(time), dtype=np.int64)
    return np.where(index >= 0, known, 0).astype(np.int64)


def _power(time: Int64, day: Day) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    power = np.full(len(time), POWER_STATES.index("idle"), dtype=np.int32)
    named = {
        "doze-light": day.doze.light,
        "doze-deep": day.doze.deep,
        "maintenance": day.doze.maintenance,
        "interactive": day.screen_on,
    }
    for name, intervals in named.items():
        power[inside(time, intervals)] = POWER_STATES.index(name)
    return power
