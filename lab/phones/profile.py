"""Whose phone it is: the hours of several owners on their working days and on their days off.

Hours and rates are our choice, of the size that the studies quoted in lab/phones/phone.py report; none gives them by
occupation. That people wake later at weekends is Roenneberg et al., "Social Jetlag and Obesity" (Current Biology 2012;
from memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.behaviours import Int64
from lab.phones.calendar import falls_on

Rates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DaysOff:
    """How an owner's days off differ, all of them alike; fields as of ``Profile``. Days and hours are our choice."""

    weekdays: tuple[int, ...]  # 0 is Monday
    unlocks: tuple[float, ...]
    carried: tuple[int, ...]
    places: str
    sleep: tuple[int, int]
    plugged: tuple[int, ...] = ()
    begins: int = 0  # the hour at which a day off begins, and ends on the next day


@dataclass(frozen=True)
class Profile:
    """The habits of an owner. ``unlocks`` are the rates per hour of the day, from midnight where the phone is.

    Of those days that are not ``off``, all alike.
    """

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
    off: DaysOff | None = None
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
        off=DaysOff(
            weekdays=(5, 6),
            unlocks=(0.8, 0.3, 0.1, 0.03, 0.02, 0.02, 0.1, 0.5, 2, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 2.5),
            carried=(11, 15, 16),
            places="hhhhhhhhhhhmhhhmmhhhhhhh",
            sleep=(23, 32),
        ),
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
        off=DaysOff(  # four shifts from Sunday on, then three nights at home
            weekdays=(3, 4, 5),
            begins=15,
            unlocks=(4, 3, 1, 0.3, 0.05, 0.02, 0.02, 0.05, 0.3, 1.5, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 5, 5, 5),
            carried=(13, 17),
            places="hhhhhhhhhhhhhmhhhmhhhhhh",
            sleep=(1, 9),
        ),
    ),
    "student": Profile(
        unlocks=(3, 1.5, 0.6, 0.2, 0.05, 0.05, 0.2, 1.5, 5, 6, 6, 5, 7, 6, 5, 5, 5, 5, 6, 6, 6, 7, 7, 5),
        glances=2.5,
        median_s=35.0,
        sigma=1.5,
        charges=0.55,
        carried=(8, 9, 12, 15, 18, 21),
        places="hhhhhhhhmwwwmwwwmhhhmhhh",
        off=DaysOff(  # out late, asleep until noon
            weekdays=(5, 6),
            unlocks=(5, 4, 3, 1.5, 0.4, 0.1, 0.05, 0.05, 0.1, 0.5, 2, 4, 6, 7, 7, 6, 6, 6, 7, 7, 7, 7, 7, 6),
            carried=(0, 14, 15, 20, 21, 22, 23),
            places="mhhhhhhhhhhhhhmmhhhhmmmm",
            sleep=(25, 34),
        ),
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
        off=DaysOff(
            weekdays=(6,),
            unlocks=(0.5, 0.1, 0.02, 0.02, 0.02, 0.1, 0.5, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 2, 1),
            carried=(10, 11, 17),
            places="hhhhhhhhhhmmhhhhhmhhhhhh",
            sleep=(22, 31),
        ),
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
        off=DaysOff(  # the shop is shut
            weekdays=(6,),
            unlocks=(0.0,) * 24,
            carried=(),
            places="w" * 24,
            sleep=(22, 30),
            plugged=tuple(range(24)),
        ),
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


def profile_names() -> list[str]:
    """The profiles a scenario may name."""
    return sorted(PROFILES)


def by_hour(profile: Profile, name: str, today: int, count: int) -> Rates:
    """(count,) what a profile says of each hour from the midnight of ``today`` on, be it a day off or not.

    ``unlocks`` as they are; ``carried`` and ``plugged`` as 1 for the hours listed, else 0.
    """
    hours, plain = np.arange(count), _daily(profile, name)
    if profile.off is None:
        return plain[hours % 24]
    free = falls_on(profile.off.weekdays, profile.off.begins, today, hours)
    return np.where(free, _daily(profile.off, name)[hours % 24], plain[hours % 24])


def whereabouts(profile: Profile, today: int) -> str:
    """Where a phone is in each hour of the week that begins with the midnight of ``today``, letters of ``places``."""
    if profile.off is None:
        return profile.places * 7
    free = falls_on(profile.off.weekdays, profile.off.begins, today, np.arange(7 * 24))
    return "".join((profile.off if away else profile).places[hour % 24] for hour, away in enumerate(free.tolist()))


def slept(profile: Profile, today: int, count: int) -> Int64:
    """(count, 2) the hours of sleep of each day from ``today`` on: those of a day off where one wakes up on one."""
    if profile.off is None:
        return np.array([profile.sleep] * count, dtype=np.int64)
    woken = np.arange(count) * 24 + profile.sleep[1] - 1
    free = falls_on(profile.off.weekdays, profile.off.begins, today, woken)
    return np.where(free[:, None], np.array(profile.off.sleep), np.array(profile.sleep))


def _daily(habits: Profile | DaysOff, name: str) -> Rates:
    said = getattr(habits, name)
    return np.array(said if name == "unlocks" else np.isin(np.arange(24), said), dtype=np.float64)
