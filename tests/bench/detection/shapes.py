"""What shape an incident has, read off its settings: period, jitter, evasions, and what theory says of its timing.

Pure; the detector knows nothing of this. The table of theory says the power of the best scale-free test of interval
regularity at one false alarm in a thousand pairs, against a memoryless innocent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Settings = Mapping[str, Any]

PERIODS = ((30, "< 30 s"), (120, "30 s - 2 min"), (300, "2 - 5 min"), (901, "5 - 15 min"), (3_601, "15 min - 1 h"))
LONGER = "> 1 h"
NO_PERIOD = "no period"
JITTERS = ((0.001, "0"), (0.101, "<= 10 %"), (0.301, "<= 30 %"), (0.501, "<= 50 %"), (1.01, "> 50 %"))
BAND = (30.0, 900.0, 0.5)  # s, s, jitter: the periods of which issue 5 asks most
LEAST_CONTACTS = 10
STREAMS_A_MINUTE = 0.3

CONTACTS = (4, 6, 8, 10, 20, 30, 50)
POWER = {
    0.0: (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    0.1: (0.71, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    0.3: (0.10, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    0.5: (0.03, 0.35, 0.99, 1.0, 1.0, 1.0, 1.0),
    0.9: (0.01, 0.02, 0.05, 0.10, 0.65, 0.98, 1.0),
    1.0: (0.0, 0.01, 0.03, 0.04, 0.11, 0.22, 0.46),
}
MEMORYLESS = ("exponential",)
WAITED_FOR = ("push-poll",)  # kinds whose contacts come when somebody else calls


def _all_day(given: Settings) -> bool:
    return float(given.get("from_hour", 0)) <= 0 and float(given.get("until_hour", 24)) >= 24


def _padded(given: Settings) -> bool:
    return bool(given.get("pad_up") or given.get("pad_down") or float(given.get("spread", 0)) >= 0.3)


#: Evasions by name, each a question to (kind, settings): an incident may use several.
EVASIONS: Mapping[str, Callable[[str, Settings], bool]] = {
    "sizes padded": lambda _, given: _padded(given),
    "exponential sleep": lambda _, given: given.get("law") == "exponential",
    "log-normal sleep": lambda _, given: given.get("law") == "lognormal",
    "working hours": lambda _, given: not _all_day(given),
    "only while locked": lambda _, given: given.get("gate") == "locked",
    "only while unlocked": lambda _, given: given.get("gate") == "unlocked",
    "Doze: jobs and alarms": lambda _, given: given.get("wake") in {"job", "alarm"},
    "fast and slow": lambda _, given: bool(given.get("fast")),
    "fronting": lambda _, given: given.get("front", "none") != "none" or given.get("naming") == "foreign",
    "no or encrypted name": lambda _, given: given.get("naming") in {"none", "ech"},
    "popular API": lambda _, given: given.get("reach") == "popular",
    "literal address": lambda _, given: given.get("reach") == "literal",
    "names made anew": lambda _, given: given.get("dga", "none") != "none",
    "woken by push": lambda kind, _: kind in WAITED_FOR,
    "inside one long flow": lambda kind, given: kind in {"websocket-poll", "mqtt-poll"} or bool(given.get("keep")),
}


def evasions(kind: str, given: Settings) -> list[str]:
    """The evasions of an incident of AN1793, in the order of EVASIONS; ``plain`` if there are none.

    >>> evasions("http-poll", {"law": "exponential", "pad_up": 3000})
    ['sizes padded', 'exponential sleep']
    """
    return [name for name, holds in EVASIONS.items() if holds(kind, given)] or ["plain"]


def period_s(kind: str, given: Settings) -> float | None:
    """Seconds from one contact to the next, before jitter; None where contacts have no period."""
    if kind in WAITED_FOR:
        return None
    if kind == "long-poll":
        return float(given["hold"]) + float(given.get("pause", 0) or 0)
    return float(given.get("period", 0)) or None


def jitter(given: Settings) -> float | None:
    """The jitter as a share of the period; None where the sleep is of a law that has none."""
    if given.get("law") in {"exponential", "lognormal"}:
        return None
    return 0.0 if given.get("law") == "fixed" else float(given.get("jitter", 0))


def period_band(kind: str, given: Settings) -> str:
    """The band of the period, in words."""
    seconds = period_s(kind, given)
    if seconds is None:
        return NO_PERIOD
    return next((name for bound, name in PERIODS if seconds < bound), LONGER)


def jitter_band(given: Settings) -> str:
    """The band of the jitter, in words, or the law of the sleep."""
    share = jitter(given)
    if share is None:
        return str(given["law"])
    return next(name for bound, name in JITTERS if share < bound)


def within_band(kind: str, given: Settings) -> bool:
    """Whether it is among the periods of 30 s to 15 min with jitter of at most 50 % of issue 5, at any hour."""
    seconds, share = period_s(kind, given), jitter(given)
    low, high, most = BAND
    return seconds is not None and low <= seconds <= high and share is not None and share <= most


def timing_power(given: Settings, contacts: int) -> float | None:
    """What timing alone could find of it at 10^-3 a pair, from POWER; 0 of a memoryless sleep, None where unknown.

    >>> timing_power({"law": "uniform", "jitter": 0.5}, 6), timing_power({"law": "exponential"}, 5_000)
    (0.35, 0.0)
    """
    if given.get("law") in MEMORYLESS:
        return 0.0
    share = jitter(given)
    if share is None:
        return None
    column = POWER[min((one for one in POWER if one >= share - 1e-9), default=1.0)]
    if contacts < CONTACTS[0]:
        return 0.0
    return float(np.interp(math.log(contacts), np.log(CONTACTS), column))


def limit(kind: str, given: Settings, contacts: float) -> str:
    """What theory says cannot be seen of such an incident, in words; empty where nothing stands in the way."""
    if contacts < LEAST_CONTACTS:
        return "fewer than ten contacts: only the destination's baseline speaks"
    if kind in WAITED_FOR:
        return "no clock of its own: as any push that is answered"
    if given.get("law") in MEMORYLESS:
        alone = "memoryless: at no number of contacts told by timing"
        return alone + ("; sizes padded: nor by sizes" if _padded(given) else "")
    if given.get("reach") == "popular" or given.get("front", "none") != "none":
        return "its destination is everybody's: no novelty, no rarity"
    if _padded(given):
        return "sizes say nothing"
    return ""


def streams_a_minute(given: Settings) -> float | None:
    """Streams a minute that a relay is asked for while it is open; None where its settings do not say."""
    asked = given.get("streams_per_hour")
    return float(asked) / 60 if asked else None


#: Evasions of relays by name, each a question to (kind, settings).
RELAY_EVASIONS: Mapping[str, Callable[[str, Settings], bool]] = {
    "held back a second or more": lambda _, given: float(given.get("lag_ms", 0)) >= 1_000,
    "padded or compressed": lambda _, given: float(given.get("inflation", 1)) != 1,
    "chaff": lambda _, given: bool(given.get("chaff_per_hour")),
    "one TLS stack": lambda _, given: bool(given.get("one_stack")),
    "one destination": lambda kind, given: kind == "port-forward" or given.get("destinations") == 1,
    "at night or at the charger": lambda _, given: not _all_day(given) or given.get("when") == "plugged-idle",
    "only while locked": lambda _, given: given.get("when") == "locked",
    "only while unlocked": lambda _, given: given.get("when") in {"unlocked", "foreground"},
    "into the network": lambda _, given: given.get("towards") == "lan",
    "few streams": lambda _, given: (streams_a_minute(given) or STREAMS_A_MINUTE) < STREAMS_A_MINUTE,
}


def shapes(analytic: str, kind: str, given: Settings) -> list[str]:
    """The evasions of an incident of either analytic; ``plain`` if there are none."""
    if analytic == "AN1793":
        return evasions(kind, given)
    return [name for name, holds in RELAY_EVASIONS.items() if holds(kind, given)] or ["plain"]
