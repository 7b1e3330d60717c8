"""Nested splits: every incident and alarm is judged by a threshold chosen without its seed, its device and its package.

Pure. A seed is one cast of people, phones, hosts and times, so that seeds part devices; a package belongs to the fold
that a keyed hash of its name says. The outer loop leaves out one fold of seeds and one of packages, the inner sweep
chooses on what is left. What is left out is judged once, so that all cells together are the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lab.tuning.sweep import Evidence, Tally, allowance, chosen, tally

SEED_FOLDS = PACKAGE_FOLDS = 4
KEY = b"droidrange tune"


@dataclass(frozen=True)
class Left:
    """One cell left out: the threshold chosen without it, None where none found anything, and what it does there.

    It is not ``judged`` where no incident was left to choose by: all are of its seeds or its packages.
    """

    seeds: tuple[int, ...]
    package_fold: int | None  # None where the view shows no apps: packages cannot be parted
    threshold: float | None
    tally: Tally
    judged: bool = True


def seed_folds(seeds: Sequence[int]) -> dict[int, int]:
    """The fold of each seed, as evenly as they go.

    >>> seed_folds([7, 8, 9, 10, 11])
    {7: 0, 8: 1, 9: 2, 10: 3, 11: 0}
    """
    folds = min(SEED_FOLDS, len(seeds))
    return {seed: place % folds for place, seed in enumerate(sorted(seeds))}


def package_fold(package: str) -> int:
    """The fold of a package, the same for ever.

    >>> {package_fold(f"com.example.app{number}") for number in range(40)} == {*range(PACKAGE_FOLDS)}
    True
    """
    return hashlib.blake2b(package.encode(), key=KEY, digest_size=8).digest()[0] % PACKAGE_FOLDS


def left_out(evidence: Evidence, folds: dict[int, int], budget: float) -> list[Left]:
    """Every cell of the outer loop; ``folds`` are the seeds' and ``evidence`` is parted by them."""
    found, alarms, effort = evidence.found, evidence.alarms, evidence.effort
    cells = []
    for seed in range(effort.shape[0]):
        for package in range(effort.shape[1]):
            whole = effort.shape[1] == 1  # nothing is known of packages: seeds alone are parted
            kept = [(rows.seed != seed) & (whole | (rows.package != package)) for rows in (found, alarms)]
            out = [(rows.seed == seed) & (rows.package == package) for rows in (found, alarms)]
            inner = [one for one in range(effort.shape[1]) if whole or one != package]
            others = [one for one in range(effort.shape[0]) if one != seed]
            days = float(effort[others][:, inner].sum())
            bar = chosen(found.taken(kept[0]), alarms.taken(kept[1]), allowance(budget, days))
            told = tally(found.taken(out[0]), alarms.taken(out[1]), float(effort[seed, package]), bar)
            mine = tuple(one for one, fold in folds.items() if fold == seed)
            cells.append(Left(mine, None if whole else package, bar, told, bool(kept[0].any())))
    return cells
