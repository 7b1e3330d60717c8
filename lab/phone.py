"""A phone's day: when its owner unlocks it, which app is in front, when it charges, lies still and dozes.

It knows hours and apps by weight, never what an app does on the network. Rates and lengths are of the size that
Falaki et al., "Diversity in Smartphone Usage" (MobiSys 2010) report: 10 to 200 interactions a day, sessions with a
mean of 10 to 250 s and a long tail (quoted from memory; the log-normal shape and its parameters are our choice).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.behaviours import SECOND, Int64
from lab.clock import gaps, inside, merged, whole
from lab.doze import Doze, doze

Rates = npt.NDArray[np.float64]
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TOUCH_EVERY = 45 * SECOND  # how often a state row renews last_interaction during use


@dataclass(frozen=True)
class Profile:
    """The habits of an owner. ``unlocks`` are the rates per hour of the day, from midnight."""

    unlocks: tuple[float, ...]
    glances: float  # screen lit but not unlocked, per waking hour
    median_s: float  # length of a session
    sigma: float
    charges: float  # probability that a night is spent on the charger
    carried: tuple[int, ...]  # hours in which the phone moves: no deep Doze


PROFILES = {
    "office-worker": Profile(
        unlocks=(0.3, 0.05, 0.02, 0.02, 0.02, 0.1, 1.5, 5, 6, 3, 3, 3, 6, 4, 3, 3, 3, 5, 6, 5, 5, 5, 4, 1.5),
        glances=1.5,
        median_s=55.0,
        sigma=1.2,
        charges=0.5,
        carried=(7, 8, 12, 17, 18),
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
    wifi: Int64  # on an unmetered network


def profile_names() -> list[str]:
    """The profiles a scenario may name."""
    return sorted(PROFILES)


def plan_day(rng: np.random.Generator, profile: Profile, categories: list[str], midnight: int, span: int) -> Day:
    """The day of one phone over [0, span); ``midnight`` is the last midnight before it, in scenario microseconds."""
    unlocked = _sessions(rng, profile, midnight, span)
    glances = _glances(rng, profile, midnight, span)
    glances = glances[~inside(glances[:, 0], unlocked) & ~inside(glances[:, 1], unlocked)]
    screen_on = merged(np.concatenate([unlocked, glances]))
    uses, front = _uses(rng, unlocked, categories)
    charging = _charging(rng, profile, midnight, span)
    still = gaps(merged(np.concatenate([screen_on, charging])), span)
    moving = _carried(profile, midnight, span)
    return Day(screen_on, unlocked, uses, front, doze(rng, still, moving), merged(charging), whole(span))


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
    weights = np.array([OPENED.get(category, OPENED_ELSE) for category in categories])
    front = rng.choice(len(categories), size=len(cuts), p=weights / weights.sum()) if len(categories) else cuts * 0
    uses = np.stack([cuts, ends], axis=1)
    real = uses[:, 1] > uses[:, 0]
    return uses[real], front[real].astype(np.int64)


def _charging(rng: np.random.Generator, profile: Profile, midnight: int, span: int) -> Int64:
    nights = np.arange(midnight - DAY, span, DAY)
    starts = nights + 22 * HOUR + (rng.random(len(nights)) * 2 * HOUR).astype(np.int64)
    ends = nights + 30 * HOUR + (rng.random(len(nights)) * 1.5 * HOUR).astype(np.int64)
    plugged = rng.random(len(nights)) < profile.charges
    night = np.clip(np.stack([starts, ends], axis=1)[plugged], 0, span)
    return night[night[:, 1] > night[:, 0]]


def _carried(profile: Profile, midnight: int, span: int) -> Int64:
    hours = np.arange(midnight, span, HOUR, dtype=np.int64)
    moving = hours[np.isin(np.arange(len(hours)) % 24, profile.carried)]
    return np.stack([moving, moving + HOUR], axis=1)
