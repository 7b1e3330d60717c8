"""The pace of an app that asks its server by itself: law of sleep, gate, and the hurry after a task.

``Pace`` holds the settings and their meaning once; a behaviour takes those it wants by ``paced("law")``. It decides
when there is a contact and whether the contact brings a task, never what is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from lab.behaviours import SECOND, Bool, Int64, Window, setting
from lab.habits.clock import LAWS, SHORTEST_SLEEP_S, alarms, inside, renewal, sleeps, whole
from lab.habits.gates import GATES, awake, both, gated
from lab.habits.ragged import positions
from lab.habits.standby import ALARMS, JOBS
from lab.habits.standby import rationed as allowed
from lab.habits.waiting import SHUT, Sleeper, rationed, thinned, waited, walk

WAKES = ("service", "job", "alarm")
INTERACTIVE = 0.2  # of the contacts in a hurry, the share that brings a task: our choice


@dataclass(frozen=True)
class Pace:
    """The settings of a pace; jitter is a share of the period."""

    period: float = setting(
        300.0, unit="s", minimum=1, maximum=7 * 86_400, source="of law lognormal the median, else the sleep itself"
    )
    law: str = setting(
        "uniform",
        choices=("phase", *LAWS),
        source="lab/habits/clock.py; phase: the jitter is a flex around a kept phase",
    )
    jitter: float = setting(0.0, minimum=0, maximum=1, source="a share of the period; Cobalt Strike allows 0 to 99 %")
    sigma: float = setting(1.0, minimum=0, maximum=3, source="of law lognormal")
    gate: str = setting("always", choices=GATES, source="when it may be in contact at all: lab/habits/gates.py")
    from_hour: float = setting(0.0, minimum=0, maximum=24, source="of the day; working hours: 9, our choice")
    until_hour: float = setting(24.0, minimum=0, maximum=24, source="of the day; working hours: 17.5, our choice")
    shut: str = setting("wait", choices=SHUT, source="what becomes of a contact that is due while the gate is shut")
    wake: str = setting(
        "service",
        choices=WAKES,
        source="service: the timer of a process that a foreground service keeps; job: JobScheduler or WorkManager (at"
        " least every 15 min); both wait for Doze to open unless the app is exempt. alarm: setExactAndAllowWhileIdle,"
        " rationed in Doze. Jobs and alarms within the quota of the app's standby bucket: lab/habits/standby.py",
    )
    ration: float = setting(
        540.0,
        unit="s",
        minimum=60,
        maximum=3_600,
        source="between two alarms in Doze: 9 min (developer.android.com, 'Optimize for Doze'; about what Android 12's"
        " quota of 7 an hour leaves old apps; from memory), 15 min with vendors that stretch it (our choice)",
    )
    fast: float = setting(
        0.0, unit="s", minimum=0, maximum=3_600, source="the sleep for a while after a task; 0 = none"
    )
    fast_for: float = setting(600.0, unit="s", minimum=1, maximum=86_400, source="mean of that while, exponential")
    task_probability: float = setting(0.02, minimum=0, maximum=1, source="that a contact brings a task; our choice")

    @classmethod
    def of(cls, behaviour: object) -> Pace:
        """The pace of a behaviour: its own settings of these names, the defaults of the rest."""
        return cls(**{name: getattr(behaviour, name, default) for name, default in vars(cls()).items()})

    def openings(self, window: Window) -> Int64:
        """When its gate is open and Doze, which alarms pass, leaves it the network."""
        open_ = gated(window, self.gate, self.from_hour, self.until_hour)
        return open_ if self.wake == "alarm" else both(open_, awake(window), window.span)


@dataclass(frozen=True)
class Moments:
    """(n,) contacts, ascending: their times, and which of them bring a task."""

    time: Int64
    tasked: Bool


def paced(name: str, default: Any = None) -> Any:
    """The setting of a pace of that name as a field of a behaviour, with a default of its own if given one."""
    known = next(one for one in fields(Pace) if one.name == name)
    return field(default=known.default if default is None else default, metadata=known.metadata)


def moments(rng: np.random.Generator, pace: Pace, window: Window, *, scheduled: bool = True) -> Moments:
    """When a behaviour of that pace is in contact within the window's span; alarms in Doze never wait for a gate.

    Jobs and alarms get what the app's standby bucket allows (lab.habits.standby): a contact put off to where the gate
    is shut is dropped, and one stands for all that were due meanwhile. ``scheduled`` False: words of a living process
    on a connection that it keeps, which no job or alarm starts.
    """
    open_ = pace.openings(window)
    due = _due(rng, pace, window, open_)
    if pace.wake == "service" or not scheduled:
        return due
    if pace.wake == "alarm":
        time = allowed(rng, due.time, replace(window, exempt=True), ALARMS)  # these fire in Doze
    else:
        time = allowed(rng, due.time, window, JOBS)
    if time is due.time:
        return due
    of = np.searchsorted(time, due.time)
    tasked = np.zeros(len(time) + 1, dtype=np.bool_)
    np.logical_or.at(tasked, of, due.tasked)
    kept = inside(time, open_)
    return Moments(time[kept], tasked[:-1][kept])


def _due(rng: np.random.Generator, pace: Pace, window: Window, open_: Int64) -> Moments:
    held = _held(pace, window, open_)
    if pace.law == "phase":
        time = waited(rng, _kept_phase(rng, pace, window), held)
        time = time[inside(time, open_)]
    elif pace.fast:
        return _hurried(rng, pace, window, open_)
    elif pace.wake == "alarm" or len(held) != 1:
        time = _walked(rng, pace, window, open_)[0]
    else:
        due = renewal(rng, pace.law, pace.period, pace.jitter, window.span, sigma=pace.sigma)
        time = waited(rng, due, held)
        time = time[inside(time, open_)]
    return Moments(time, rng.random(len(time)) < pace.task_probability)


def _held(pace: Pace, window: Window, open_: Int64) -> Int64:
    """The openings that a contact waits for: of Doze, which stops the clock itself, and of the gate if it waits there.

    Alarms wait for neither.
    """
    if pace.wake == "alarm":
        return whole(window.span)
    return open_ if pace.shut == "wait" else awake(window)


def _kept_phase(rng: np.random.Generator, pace: Pace, window: Window) -> Int64:
    due = alarms(rng, pace.period, pace.jitter, window.span)
    return thinned(due, window, int(pace.ration * SECOND)) if pace.wake == "alarm" else due


def _walked(rng: np.random.Generator, pace: Pace, window: Window, open_: Int64) -> Int64:
    """Contacts one after the other: rows time, sleep, and how long the hurry after each is (0: no task)."""

    def draw(count: int) -> Int64:
        hurry = np.zeros(count, dtype=np.int64)
        if pace.fast:
            lengths = rng.exponential(pace.fast_for * SECOND, count).astype(np.int64) + 1
            hurry = np.where(rng.random(count) < pace.task_probability, lengths, 0)
        return np.stack([sleeps(rng, pace.law, pace.period, pace.jitter, count, sigma=pace.sigma) + hurry, hurry])

    sleeper = Sleeper(int(rng.random() * pace.period * SECOND), pace.period * SECOND, draw)
    if pace.wake == "alarm":
        found = rationed(rng, sleeper, window, int(pace.ration * SECOND))
    else:
        found = walk(rng, sleeper, _held(pace, window, open_))
    return found[:, inside(found[0], open_)]


def _hurried(rng: np.random.Generator, pace: Pace, window: Window, open_: Int64) -> Moments:
    """Slow contacts, and behind each that brings a task the fast ones, as far as gate and Doze let them."""
    found = _walked(rng, pace, window, open_)
    begin = found[0][found[2] > 0]
    hurry = np.minimum(found[2][found[2] > 0], window.span - begin)
    counts = (
        3 * hurry // int(max(pace.fast, SHORTEST_SLEEP_S) * SECOND) + 2
    )  # no law here sleeps for less than half its period on average
    owner, _ = positions(counts)
    steps = np.cumsum(sleeps(rng, pace.law, pace.fast, pace.jitter, len(owner), sigma=pace.sigma))
    since = steps - np.concatenate([[0], steps])[np.cumsum(counts) - counts][owner]
    fast = (begin[owner] + since)[since < hurry[owner]]
    fast = fast[inside(fast, open_)]
    if pace.wake == "alarm":
        fast = fast[~inside(fast, window.barred)]
    time = np.concatenate([found[0], fast])
    tasked = np.concatenate([found[2] > 0, rng.random(len(fast)) < INTERACTIVE])
    order = np.argsort(time, kind="stable")
    return Moments(time[order], tasked[order])
