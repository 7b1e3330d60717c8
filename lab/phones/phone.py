"""A phone's day: when its owner unlocks it, which app is in front, when it charges, lies still and dozes.

It knows hours and apps by weight, never what an app does on the network. All studies are quoted from memory; the
log-normal shape and its parameters are our choice, of the size that they report:
Falaki et al., "Diversity in Smartphone Usage" (MobiSys 2010): 10 to 200 interactions a day, sessions with a mean of 10
to 250 s and a long tail. Boehmer et al., "Falling Asleep with Angry Birds, Facebook and Kindle" (MobileHCI 2011): an
app stays in front for about a minute, communication is opened most, use peaks in the afternoon and evening. Hintze et
al., "A Large-Scale, Long-Term Analysis of Mobile Device Usage Characteristics" (IMWUT 2017): some 60 interactions a
day, about a third of them without unlocking. Andrews et al., "Beyond Self-Report" (PLoS ONE 2015): students use their
phone 85 times a day, more than half of the uses below 30 s. Ferreira et al., "Understanding Human-Smartphone Concerns:
A Study of Battery Life" (Pervasive 2011): phones charge at night, and for short spells at the desk and in the car.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.habits.clock import gaps, inside, merged, whole
from lab.phones.calendar import MONDAY_2026_03_02
from lab.phones.doze import Doze, doze
from lab.phones.profile import Profile, Rates, by_hour, slept

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TOUCH_EVERY = 45 * SECOND  # how often a state row renews last_interaction during use


#: How often an app of a category is opened, relative to others; a category not named here weighs 0.3 (our choice).
OPENED = {
    "communication": 4.0,
    "social": 4.0,
    "video-players-and-editors": 1.0,
    "music-and-audio": 0.7,
    "news-and-magazines": 1.0,
}
OPENED_ELSE = 0.3


@dataclass(frozen=True)
class Day:
    """Intervals are (k, 2) microseconds of the scenario, ascending, disjoint; ``front`` is the app of each use."""

    screen_on: Int64
    unlocked: Int64
    uses: Int64  # (k, 2), inside unlocked
    front: Int64  # (k,) position of the app in the list of categories given
    doze: Doze
    charging: Int64
    touched: Int64  # when somebody has a hand on it


def plan_day(
    rng: np.random.Generator,
    profile: Profile,
    categories: list[str],
    midnight: int,
    span: int,
    *,
    today: int = MONDAY_2026_03_02,
) -> Day:
    """The days of one phone over [0, span); ``midnight`` is the last one before it, in scenario microseconds.

    ``today`` is the date of that midnight, in days since 1970-01-01.
    """
    rates = by_hour(profile, "unlocks", today, _hour_count(midnight, span))
    touched = _sessions(rng, profile, rates, midnight, span)
    glances = _glances(rng, profile, rates, midnight, span)
    glances = glances[~inside(glances[:, 0], touched) & ~inside(glances[:, 1], touched)]
    screen_on = merged(np.concatenate([touched, glances]))
    uses, front = _uses(rng, touched, categories)
    charging = _charging(rng, profile, midnight, span, today)
    still = gaps(merged(np.concatenate([screen_on, charging])), span)
    moving = _hours(profile, "carried", midnight, span, today)
    day = Day(screen_on, touched, uses, front, doze(rng, still, moving), charging, touched)
    return _pinned(rng, day, categories, span) if profile.pinned else day


def _pinned(rng: np.random.Generator, day: Day, categories: list[str], span: int) -> Day:
    """The day of a phone whose screen is always on, with one of its apps, drawn as others are opened."""
    always = whole(span)
    front = rng.choice(len(categories), size=1, p=_weights(categories)) if categories else np.zeros(1)
    return replace(day, screen_on=always, unlocked=always, uses=always, front=front.astype(np.int64))


def _hour_count(midnight: int, span: int) -> int:
    return -(-(span - midnight) // HOUR)


def _sessions(rng: np.random.Generator, profile: Profile, rates: Rates, midnight: int, span: int) -> Int64:
    times = _by_hour(rng, rates, midnight, span)
    lengths = np.minimum(rng.lognormal(np.log(profile.median_s), profile.sigma, len(times)), 2400.0) + 4.0
    ends = np.minimum(times + (lengths * SECOND).astype(np.int64), span)
    busy = np.concatenate([[0], np.maximum.accumulate(ends)[:-1]]) if len(ends) else ends
    free = times > busy + 5 * SECOND
    return np.stack([times, ends], axis=1)[free]


def _glances(rng: np.random.Generator, profile: Profile, rates: Rates, midnight: int, span: int) -> Int64:
    awake = np.where(rates > 0.2, profile.glances, 0.02 * profile.glances)
    times = _by_hour(rng, awake, midnight, span)
    ends = np.minimum(times + (rng.uniform(5.0, 15.0, len(times)) * SECOND).astype(np.int64), span)
    return np.stack([times, ends], axis=1)


def _by_hour(rng: np.random.Generator, rates: Rates, midnight: int, span: int) -> Int64:
    hours = np.arange(midnight, span, HOUR)
    counts = rng.poisson(rates)
    times = np.sort(np.repeat(hours, counts) + (rng.random(int(counts.sum())) * HOUR).astype(np.int64))
    return times[(times >= 0) & (times < span)].astype(np.int64)


def _uses(rng: np.random.Generator, unlocked: Int64, categories: list[str]) -> tuple[Int64, Int64]:
    """Sessions cut into uses of one app each: one app, and another for about every minute and a half."""
    lengths = unlocked[:, 1] - unlocked[:, 0]
    extra = rng.poisson(lengths / (90.0 * SECOND))
    pieces = np.minimum(1 + extra, 12)
    owner = np.repeat(np.arange(len(unlocked)), pieces)
    cuts = unlocked[owner, 0] + (rng.random(len(owner)) * lengths[owner]).astype(np.int64)
    firsts = np.concatenate([[0], np.cumsum(pieces)[:-1]]).astype(np.int64) if len(pieces) else pieces
    cuts[firsts] = unlocked[:, 0] + SECOND  # the launcher first
    cuts = cuts[np.lexsort((cuts, owner))]
    ends = np.concatenate([cuts[1:], [0]]) if len(cuts) else cuts
    ends[np.cumsum(pieces) - 1] = unlocked[:, 1]
    front = rng.choice(len(categories), size=len(cuts), p=_weights(categories)) if len(categories) else cuts * 0
    uses = np.stack([cuts, ends], axis=1)
    real = uses[:, 1] > uses[:, 0]
    return uses[real], front[real].astype(np.int64)


def _weights(categories: list[str]) -> Rates:
    weights: Rates = np.array([OPENED.get(category, OPENED_ELSE) for category in categories])
    shares: Rates = weights / weights.sum()
    return shares


def _charging(rng: np.random.Generator, profile: Profile, midnight: int, span: int, today: int) -> Int64:
    nights = np.arange(midnight - DAY, span, DAY)
    begin, end = slept(profile, today - 1, len(nights)).T
    starts = nights + begin * HOUR + (rng.random(len(nights)) * 2 * HOUR).astype(np.int64)
    ends = nights + end * HOUR + (rng.random(len(nights)) * 1.5 * HOUR).astype(np.int64)
    plugged = rng.random(len(nights)) < profile.charges
    night = np.stack([starts, ends], axis=1)[plugged]
    spells = np.clip(np.concatenate([night, _hours(profile, "plugged", midnight, span, today)]), 0, span)
    return merged(spells[spells[:, 1] > spells[:, 0]])


def _hours(profile: Profile, name: str, midnight: int, span: int, today: int) -> Int64:
    """The hours of that name as intervals, each of an hour."""
    hours = np.arange(midnight, span, HOUR, dtype=np.int64)
    found = hours[by_hour(profile, name, today, len(hours)) > 0]
    return np.stack([found, found + HOUR], axis=1)
