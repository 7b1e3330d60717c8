"""What of a scorecard has a counterpart in a baseline, and why it may not be compared. Pure.

Incidents are paired by scenario, seed, stage and name. Where the baseline has other seeds altogether, each is paired
with one of the same kind in the same scenario: then a pair is no longer one incident, but the tests stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.gate.selection import Card, Row

ACCEPT = "run again and accept a new one: droidrange baseline accept"
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Pairs:
    """Rows of now and before that belong together. ``faults``: why nothing may be concluded from them.

    ``other_seeds``: pairs are of one kind, not of one incident; ``same``: every pair rests on the same recording.
    """

    both: tuple[tuple[Row, Row], ...]
    faults: tuple[str, ...] = ()
    other_seeds: bool = False
    same: bool = False
    new: int = 0  # rows without a counterpart before


def comparable(card: Card, baseline: Card) -> list[str]:
    """Why the two cannot be compared at all: another droidrange, other fleets, another past."""
    now, before = card.content, baseline.content
    found = [
        f"{name}: the baseline has {before.get(name)}, this run {now.get(name)}; {ACCEPT}"
        for name in ("devices", "learn_s", "poison", "novel")
        if now.get(name) != before.get(name)
    ]
    for name in ("software", "speed"):
        mine, other = now["evidence"].get(name), before["evidence"].get(name)
        mine, other = (one.get("droidrange") if isinstance(one, dict) else one for one in (mine, other))
        if mine != other:
            what = "droidrange" if name == "software" else name
            found.append(f"{what}: the baseline was made with {other}, this run with {mine}; {ACCEPT}")
    return found


def paired(card: Card, baseline: Card, now: Sequence[Row], before: Sequence[Row]) -> Pairs:
    """The pairs of these rows, each of one cell; ``faults`` if the baseline has what this run has not."""
    faults = [*_changed(card, baseline, now, before), *_lacking(now, before)]
    common = {_case(row) for row in now} & {_case(row) for row in before}
    if not common and not faults and now and before:
        both = _by_kind(now, before)
        return Pairs(tuple(both), (), other_seeds=True, new=len(now) - len(both))
    mine = {_name(row): row for row in now}
    old = {_name(row): row for row in before if _case(row) in common}
    lost = sorted(set(old) - set(mine))
    if lost:
        faults.append(f"{len(lost)} of the baseline were not judged this time, such as {' '.join(map(str, lost[0]))}")
    both = [(mine[name], old[name]) for name in sorted(set(old) & set(mine))]
    same = all(_digest(card, row) == _digest(baseline, row) for row, _ in both)
    return Pairs(tuple(both), tuple(faults), same=same, new=len(mine) - len(both))


def _case(row: Row) -> Key:
    return (row["scenario"], row["seed"], row["stage"])


def _name(row: Row) -> Key:
    return (*_case(row), row.get("incident", ""), row["analytic"])


def _digest(card: Card, row: Row) -> str:
    digest: str = card.content["evidence"]["recordings"][f"{row['scenario']}-s{row['seed']}"]
    return digest


def _changed(card: Card, baseline: Card, now: Sequence[Row], before: Sequence[Row]) -> list[str]:
    """Scenarios of one name and other content, or on another stage: their incidents are not the same."""
    hashes = [one.content["evidence"]["scenarios"] for one in (card, baseline)]
    common = {row["scenario"] for row in now} & {row["scenario"] for row in before}
    other = sorted(name for name in common if hashes[0].get(name) != hashes[1].get(name))
    found = [f"stale baseline: {len(other)} scenarios changed since, such as {other[0]}; {ACCEPT}"] if other else []
    stages = [sorted({row["stage"] for row in rows}) for rows in (now, before)]
    if now and before and stages[0] != stages[1]:
        found.append(f"stage: the baseline was played on {', '.join(stages[1])}, this run on {', '.join(stages[0])}")
    return found


def _lacking(now: Sequence[Row], before: Sequence[Row]) -> list[str]:
    gone = sorted({row["scenario"] for row in before} - {row["scenario"] for row in now})
    return [f"{len(gone)} scenarios of the baseline were not judged this time, such as {gone[0]}"] if gone else []


def _by_kind(now: Sequence[Row], before: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pairs of one scenario, analytic and kind: first seed with first seed, then in the order of names."""
    mine, old = _ranked(now), _ranked(before)
    return [(mine[key], old[key]) for key in sorted(set(mine) & set(old))]


def _ranked(rows: Sequence[Row]) -> dict[Key, Row]:
    order: Callable[[Row], Key] = lambda row: (row["seed"], row.get("incident", ""))  # noqa: E731 - a key with a type
    count: dict[Key, int] = {}
    found = {}
    for row in sorted(rows, key=order):
        kind = (row["scenario"], row["analytic"], row.get("behaviour", ""))
        count[kind] = count.get(kind, 0) + 1
        found[*kind, count[kind]] = row
    return found
