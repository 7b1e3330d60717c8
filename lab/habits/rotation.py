"""Hosts that change in turn, each day or each contact: drawn like anybody's, or of names made by an algorithm.

Names made so are how domain generation works (Plohmann et al., "A Comprehensive Measurement Study of Domain Generating
Malware", USENIX Security 2016; Flubot made 15 letters a to y of the month by a linear congruential generator; both from
memory), and how delivery networks and measurements name hosts, by hashes under a domain of their own. All phones that
have the app make the same names. Of the candidates of a turn one exists; those before it are asked for in vain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lab.behaviours import SECOND, Int64, Window, setting
from lab.habits.carriage import carried
from lab.habits.draft import Draft
from lab.habits.ragged import positions

ROTATIONS = ("none", "day", "contact")
NAMES = ("words", "letters", "hashed")
ZONES = {"letters": "fresh", "hashed": "vendor"}  # what such a label is: a registrable domain, a host of the app's own
DAY = 86_400 * SECOND
MULTIPLIER, INCREMENT = 1_664_525, 1_013_904_223  # modulo 2^32: Numerical Recipes, section 7.1 (from memory)
LETTERS = 25  # a to y
SHORTEST, LONGEST = 8, 15  # letters, the same for all names of an app (our choice; Flubot 15)
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
HASHED = 14  # characters, as CloudFront's hosts have, the first of them d (from memory)
TRY_S = 0.05  # from one candidate's answer to the next question, mean, and as much at least (our choice)

NAMED = setting(
    "words",
    choices=NAMES,
    source="of rotating hosts. letters: registrable domains by a generator of domains; hashed: hosts under the app's"
    " domain; reach does not count for either: lab/habits/rotation.py",
)
CANDIDATES = setting(
    8, minimum=1, maximum=1_000, source="names made for a turn, one exists; Flubot 5000 a month, Conficker 250 a day"
)


def in_turn(
    rng: np.random.Generator, draft: Draft, behaviour: object, times: Int64, window: Window, *, turn: str, reach: str
) -> tuple[Int64, Int64]:
    """Which host each contact goes to (n,), and the hosts, rows (speech, peer): a new one each ``turn``.

    ``times`` ascend. The hosts are of that reach, unless setting ``names`` of the behaviour makes theirs: then what it
    asks for in vain is put into the draft.
    """
    names = getattr(behaviour, "names", "words")
    if turn == "none" or names == "words" or not len(times):
        zone, begun = reach if turn == "none" else ZONES.get(names, reach), len(draft.peers)
        found = rotated(times, window, turn, lambda: carried(draft, behaviour, zone))  # the silent have a way to speak
        if turn != "none":
            draft.peers[begun:] = [replace(one, passing=True) for one in draft.peers[begun:]]
        return found
    keys, place, first = _turns(times, window, turn)
    count = getattr(behaviour, "candidates", 1)
    zone, hosts, sought = ZONES[names], [], []
    for key in keys:
        made = [label(names, window.built_in, key, nth) for nth in range(registered(window.built_in, key, count) + 1)]
        hosts.append(carried(draft, behaviour, zone, made=made[-1]))
        sought.append(made[:-1])
    tries = np.array([len(made) for made in sought], dtype=np.int64)
    draft.seek(zone, [one for made in sought for one in made], _tried(rng, times[first], tries))
    return place, np.array(hosts)


def rotated(times: Int64, window: Window, rotation: str, host: Callable[[], tuple[int, int]]) -> tuple[Int64, Int64]:
    """Which host each contact goes to, and the hosts, rows (speech, peer): one, or a new one a day or a contact."""
    if rotation == "none":
        return np.zeros(len(times), dtype=np.int64), np.array([host()])
    days = (times - window.midnight) // DAY
    keys = days - days[:1] if rotation == "day" else np.arange(len(times))
    count = int(keys[-1]) + 1 if len(keys) else 1
    return keys.astype(np.int64), np.array([host() for _ in range(count)])


def label(names: str, secret: int, turn: str, nth: int) -> str:
    """The ``nth`` candidate of a turn, the same for the same secret.

    >>> label("letters", 7, "2026-03-02", 0), label("hashed", 7, "2026-03-02", 0)
    ('goblfvxdbgpolus', 'dg36y0qql6osmg')
    """
    seed = hashlib.blake2b(f"{secret}/{turn}/{nth}".encode(), digest_size=16).digest()
    if names == "hashed":
        number = int.from_bytes(seed, "big")
        return "d" + "".join(ALPHABET[number // len(ALPHABET) ** at % len(ALPHABET)] for at in range(HASHED - 1))
    state, made = int.from_bytes(seed[:4], "big"), ""
    for _ in range(SHORTEST + secret % (LONGEST - SHORTEST + 1)):
        state = (state * MULTIPLIER + INCREMENT) % (1 << 32)
        made += chr(ord("a") + (state >> 16) % LETTERS)  # the upper bits: the lower ones of such a generator repeat
    return made


def registered(secret: int, turn: str, count: int) -> int:
    """Which of a turn's candidates exists."""
    return int.from_bytes(hashlib.blake2b(f"{secret}/{turn}".encode(), digest_size=8).digest(), "big") % count


def _turns(times: Int64, window: Window, turn: str) -> tuple[list[str], Int64, Int64]:
    """The turns as texts, by the date and, where each contact is one, which of that date; whose turn each contact is.

    Last, the first contact of each.
    """
    dates = window.today + (times - window.midnight) // DAY
    days, first, of = np.unique(dates, return_index=True, return_inverse=True)
    if turn == "day":
        return [str(day) for day in days.tolist()], of.astype(np.int64), first.astype(np.int64)
    nth = np.arange(len(times)) - first[of]
    each = np.arange(len(times), dtype=np.int64)
    return [f"{day}/{one}" for day, one in zip(dates.tolist(), nth.tolist(), strict=True)], each, each


def _tried(rng: np.random.Generator, hits: Int64, tries: Int64) -> Int64:
    """When each candidate is asked for that does not exist: one after the other, until the hit's contact."""
    of, _ = positions(tries)
    waits = ((TRY_S + rng.exponential(TRY_S, len(of))) * SECOND).astype(np.int64)
    before = np.cumsum(waits[::-1])[::-1]  # until all of the following are done
    after = np.append(before, 0)[np.cumsum(tries)]  # what of that is due to later turns
    found: Int64 = np.maximum(hits[of] - (before - after[of]), 0)
    return found
