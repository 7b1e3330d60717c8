"""A phone's day: when its owner unlocks it, which app is in front, when it charges, lies still and dozes.

It knows hours and apps by weight, never what an app does on the network. All studies are quoted from memory; the
log-normal shape, its parameters and the hours of each profile are our choice, of the size that they report:
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
import numpy.typing as npt

from lab.behaviours import SECOND, Int64
from lab.habits.clock import gaps, inside, merged, whole
from lab.phones.doze import Doze, doze

Rates = npt.NDArray[np.float64]
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TOUCH_EVERY = 45 * SECOND  # how often a state row renews last_interaction during use


@dataclass(frozen=True)
class Profile:
    """The habits of an owner. ``unlocks`` are the rates per hour of the day, from midnight, UTC, every day alike."""

    unlocks: tuple[float, ...]
    glances: float  # screen lit but not unlocked, per waking hour
    median_s: float  # length of a session
    sigma: float
    charges: float  # probability that a night (or whenever its owner sleeps) is spent on the charger
    carried: tuple[int, ...]  # hours in which the phone moves: no deep Doze
    #: Where it is, hour by hour: h at home, w at work (Wi-Fi both), m between (mobile network).
    places: str = "h" * 24
    sleep: tuple[int, int] = (22, 30)  # earliest hour of going on the charger and of leaving it, from midnight
    plugged: tuple[int, ...] = ()  # hours in which it is always on a charger: dock, car
    pinned: bool = False  # the screen is never off nor locked, one app always in front (Android's lock task mode)


PROFILES = {
    "office-worker": Profile(
        unlocks=(0.3, 0.05, 0.02, 0.02, 0.02, 0.1, 1.5, 5, 6, 3, 3, 3, 6, 4, 3, 3, 3, 5, 6, 5, 5, 5, 4, 1.5),
        glances=1.5,
        median_s=55.0,
        sigma=1.2,
        charges=0.5,
        carried=(7, 8, 12, 17, 18),
        places="hhhhhhhhmwwwwwwwwwmhhhhh",
    ),
    "night-nurse": Profile(  # a shift from 20 to 6, sleep from 8 to 15, breaks at 23, 2 and 4
        unlocks=(1, 0.8, 3, 0.8, 3, 1, 5, 4, 0.8, 0.1, 0.02, 0.02, 0.02, 0.05, 0.3, 3, 5, 5, 6, 6, 1.5, 1, 1, 4),
        glances=2.0,
        median_s=50.0,
        sigma=1.2,
        charges=0.6,
        carried=(0, 1, 3, 5, 6, 7, 19, 20, 21, 22),
        places="wwwwwwmhhhhhhhhhhhhmwwww",
        sleep=(7, 14),
    ),
    "student": Profile(
        unlocks=(3, 1.5, 0.6, 0.2, 0.05, 0.05, 0.2, 1.5, 5, 6, 6, 5, 7, 6, 5, 5, 5, 5, 6, 6, 6, 7, 7, 5),
        glances=2.5,
        median_s=35.0,
        sigma=1.5,
        charges=0.55,
        carried=(8, 9, 12, 15, 18, 21),
        places="hhhhhhhhmwwwmwwwmhhhmhhh",
    ),
    "driver": Profile(  # delivers from 7 to 18, the phone in a holder that charges it
        unlocks=(0.1, 0.02, 0.02, 0.02, 0.1, 2, 5, 7, 7, 7, 6, 6, 5, 6, 7, 7, 7, 6, 4, 4, 4, 3, 2, 0.5),
        glances=3.0,
        median_s=80.0,
        sigma=1.3,
        charges=0.5,
        carried=tuple(range(7, 18)),
        places="hhhhhhhmmmmwmmmmmwhhhhhh",
        plugged=(7, 8, 9, 10, 13, 14, 15, 16),
    ),
    "kiosk": Profile(  # mounted in a shop: visitors touch what they call sessions here
        unlocks=(0.0,) * 8 + (3, 6, 8, 9, 10, 9, 8, 8, 9, 10, 8, 4) + (0.0,) * 4,
        glances=0.0,
        median_s=40.0,
        sigma=0.8,
        charges=1.0,
        carried=(),
        places="w" * 24,
        plugged=tuple(range(24)),
        pinned=True,
    ),
    "spare": Profile(
        unlocks=(0.0,) * 8 + (0.3,) * 14 + (0.0,) * 2,
        glances=0.2,
        median_s=30.0,
        sigma=0.9,
        charges=0.1,
        carried=(),
    ),
}

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


def profile_names() -> list[str]:
    """The profiles a scenario may name."""
    return sorted(PROFILES)


def plan_day(rng: np.random.Generator, profile: Profile, categories: list[str], midnight: int, span: int) -> Day:
    """The day of one phone over [0, span); ``midnight`` is the last midnight before it, in scenario microseconds."""
    touched = _sessions(rng, profile, midnight, span)
    glances = _glances(rng, profile, midnight, span)
    glances = glances[~inside(glances[:, 0], touched) & ~inside(glances[:, 1], touched)]
    screen_on = merged(np.concatenate([touched, glances]))
    uses, front = _uses(rng, touched, categories)
    charging = _charging(rng, profile, midnight, span)
    still = gaps(merged(np.concatenate([screen_on, charging])), span)
    moving = _hours(profile.carried, midnight, span)
    day = Day(screen_on, touched, uses, front, doze(rng, still, moving), charging, touched)
    return _pinned(rng, day, categories, span) if profile.pinned else day


def _pinned(rng: np.random.Generator, day: Day, categories: list[str], span: int) -> Day:
    """The day of a phone whose screen is always on, with one of its apps, drawn as others are opened."""
    always = whole(span)
    front = rng.choice(len(categories), size=1, p=_weights(categories)) if categories else np.zeros(1)
    return replace(day, screen_on=always, unlocked=always, uses=always, front=front.astype(np.int64))


def _sessions(rng: np.random.Generator, profile: Profile, midnight: int, span: int) -> Int64:
    times = _by_hour(rng, np.array(profile.unlocks), midnight, span)
    lengths = np.minimum(rng.lognormal(np.log(profile.median_s), profile.sigma, len(times)), 2400.0) + 4.0
    ends = np.minimum(times + (lengths * SECOND).astype(np.int64), span)
    busy = np.concatenate([[0], np.maximum.accumulate(ends)[:-1]]) if len(ends) else ends
    free = times > busy + 5 * SECOND
    return np.stack([times, ends], axis=1)[free]


def _glances(rng: np.random.Generator, profile: Profile, midnight: int, span: int) -> Int64:
    awake = np.where(np.array(profile.unlocks) > 0.2, profile.glances, 0.02 * profile.glances)
    times = _by_hour(rng, awake, midnight, span)
    ends = np.minimum(times + (rng.uniform(5.0, 15.0, len(times)) * SECOND).astype(np.int64), span)
    return np.stack([times, ends], axis=1)


def _by_hour(rng: np.random.Generator, rates: Rates, midnight: int, span: int) -> Int64:
    hours = np.arange(midnight, span, HOUR)
    counts = rng.poisson(rates[np.arange(len(hours)) % 24])
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


def _charging(rng: np.random.Generator, profile: Profile, midnight: int, span: int) -> Int64:
    begin, end = profile.sleep
    nights = np.arange(midnight - DAY, span, DAY)
    starts = nights + begin * HOUR + (rng.random(len(nights)) * 2 * HOUR).astype(np.int64)
    ends = nights + end * HOUR + (rng.random(len(nights)) * 1.5 * HOUR).astype(np.int64)
    plugged = rng.random(len(nights)) < profile.charges
    night = np.stack([starts, ends], axis=1)[plugged]
    spells = np.clip(np.concatenate([night, _hours(profile.plugged, midnight, span)]), 0, span)
    return merged(spells[spells[:, 1] > spells[:, 0]])


def _hours(chosen: tuple[int, ...], midnight: int, span: int) -> Int64:
    """Those hours of every day as intervals, each of an hour."""
    hours = np.arange(midnight, span, HOUR, dtype=np.int64)
    found = hours[np.isin(np.arange(len(hours)) % 24, chosen)]
    return np.stack([found, found + HOUR], axis=1)
