"""Turns of exchanges that were tried in several sizes: which neighbours have the same ones, and laws of their sizes.

What is tried is made by lab/stages/flows/probes.py, each exchange twice, with a delay of DELAYS each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lab.protocols import Message
from lab.stages.flows.classes import Class, texts_in
from lab.stages.flows.sizes import CLOSE, CLOSE_BYTES, Law, law_of

Int64 = npt.NDArray[np.int64]

DELAYS = (200_000, 400_000)  # microseconds
HEAD = 2_048  # bytes of a turn that are kept
LARGEST_TRIED = 256  # bytes: who was tried beyond with one size only is taken to grow
_ENDLESS = 1 << 62


@dataclass(frozen=True)
class Turn:
    """What one side says at a time: its law, the texts in it, and when it is due: ``wait_us`` and a share of the delay.

    ``head`` are the first bytes of one such turn. Where there is a law ``beside``, of what the other side was asked
    for, it says as much as the larger of both: an answer that repeats its question.
    """

    from_client: bool
    pushed: bool
    by_up: bool  # the law is of the bytes asked for upward
    law: Law
    texts: tuple[int, ...]
    wait_us: int
    share: float
    most: int  # bytes of a datagram, where larger turns are several
    head: bytes
    beside: Law | None = None

    def sizes(self, up: Int64, down: Int64, longer: Int64) -> Int64:
        """(n,) bytes of it for these bytes asked for; ``longer`` as Law has it."""
        asked, other = (up, down) if self.by_up else (down, up)
        made = self.law.sizes(asked, longer)
        return made if self.beside is None else np.maximum(made, self.beside.sizes(other, longer))


Pairs = list[tuple[Message, Message]]  # of both takes


class Row(NamedTuple):
    """One exchange as asked for, when, and what became of it."""

    up: int
    down: int
    begin: int
    said: Pairs


def regimes(kind: Class, rows: list[Row]) -> Iterator[tuple[int, tuple[Turn, ...]]]:
    """Neighbouring sizes that have the same turns, and laws that are simple, share their laws."""
    groups = [part for _, group in groupby(rows, key=shape) for part in _simple(kind, list(group))]
    for (_, turns), following in zip(groups, [*groups[1:], None], strict=True):
        yield _ENDLESS if following is None else max(following[0][0].up, following[0][0].down), turns


def _simple(kind: Class, rows: list[Row]) -> list[tuple[list[Row], tuple[Turn, ...]]]:
    """The rows and their turns, in two parts where that makes the laws of both simple: pings beside data."""
    turns = turns_of(kind, rows)
    if any(turn.law.tried for turn in turns):
        for at in range(2, len(rows) - 2):
            parts = [(part, turns_of(kind, part)) for part in (rows[:at], rows[at:])]
            if not any(turn.law.tried for _, made in parts for turn in made):
                return parts
    return [(rows, turns)]


def shape(row: Row) -> tuple[tuple[bool, bool], ...]:
    """Who speaks in turn, and whether unasked."""
    return tuple((run[0][0].from_client, run[0][0].pushed) for run in runs_of(row.said))


def runs_of(pairs: Pairs) -> list[Pairs]:
    """Messages that one side says at once, behind one another."""
    return [list(run) for _, run in groupby(pairs, key=lambda pair: (pair[0].from_client, pair[0].time))]


def turns_of(kind: Class, rows: list[Row]) -> tuple[Turn, ...]:
    """The turns of exchanges that have the same ones."""
    runs = [runs_of(row.said) for row in rows]
    turns = tuple(_turn(kind, rows, [own[at] for own in runs]) for at in range(len(runs[0])))
    return _open_ended(turns, rows[0]) if len(rows) == 1 and max(rows[0].up, rows[0].down) >= LARGEST_TRIED else turns


def _open_ended(turns: tuple[Turn, ...], row: Row) -> tuple[Turn, ...]:
    """Turns that were tried with one size only: the largest of each side grows with what is asked of that side."""
    made = list(turns)
    for by_client, asked in ((True, row.up), (False, row.down)):
        mine = [(turn.law.least, at) for at, turn in enumerate(turns) if turn.from_client == by_client]
        if mine and asked:
            size, at = max(mine)
            made[at] = replace(turns[at], by_up=by_client, law=Law(1, size - asked))
    return tuple(made)


def _turn(kind: Class, rows: list[Row], said: list[Pairs]) -> Turn:
    (first, later), *_ = said[0]
    waits = [one.time - rows[0].begin for one in (first, later)]
    share = (waits[1] - waits[0]) / (DELAYS[1] - DELAYS[0])
    sizes = [sum(len(one.data) for one, _ in run) for run in said]
    by_up, law, beside = _law(rows, sizes, by_up=first.from_client)
    data = b"".join(one.data for one, _ in said[0])
    return Turn(
        from_client=first.from_client,
        pushed=first.pushed,
        by_up=by_up,
        law=law,
        texts=texts_in(kind, data),
        wait_us=round(waits[0] - share * DELAYS[0]),
        share=share,
        most=max(len(one.data) for one, _ in said[-1]) if len(said[-1]) > 1 else _ENDLESS,
        head=data[:HEAD],
        beside=beside,
    )


def _law(rows: list[Row], sizes: list[int], *, by_up: bool) -> tuple[bool, Law, Law | None]:
    """Of which side's asked bytes a law is, and it: of this side's, unless the other's says more or is simpler.

    The last is Turn's ``beside``, where only both together say it.
    """
    found = []
    for side in (by_up, not by_up):
        asked = [row.up if side else row.down for row in rows]
        law, alone = _fitted(asked, sizes)
        found.append((not alone, bool(law.tried), side != by_up, law))
    apart, _, turned, law = min(found, key=lambda one: one[:3])
    both = _of_both(rows, sizes, by_up=by_up) if apart else None
    return (by_up, *both) if both else (by_up != turned, law, None)


def _fitted(asked: list[int], sizes: list[int]) -> tuple[Law, bool]:
    """The law of these sizes, and whether what was asked decides them."""
    known = dict(sorted(zip(reversed(asked), reversed(sizes), strict=True), key=itemgetter(0)))
    alone = all(abs(known[one] - size) <= CLOSE_BYTES for one, size in zip(asked, sizes, strict=True))
    return law_of(list(known), list(known.values())), alone


def _of_both(rows: list[Row], sizes: list[int], *, by_up: bool) -> tuple[Law, Law] | None:
    """Laws of what both sides were asked for whose larger result are these sizes."""
    asked = [(row.up, row.down) if by_up else (row.down, row.up) for row in rows]
    laws = []
    for at in (0, 1):
        mine = [(one[at], size) for one, size in zip(asked, sizes, strict=True) if one[at] > one[1 - at]]
        if len({own for own, _ in mine}) < 2:
            return None
        laws.append(_fitted([own for own, _ in mine], [size for _, size in mine])[0])
    none = np.zeros(len(asked), dtype=np.int64)
    made = [law.sizes(np.array([one[at] for one in asked], dtype=np.int64), none) for at, law in enumerate(laws)]
    wrong = np.abs(np.maximum(*made) - np.array(sizes, dtype=np.int64))
    return (laws[0], laws[1]) if (wrong <= np.maximum(CLOSE_BYTES, CLOSE * np.array(sizes))).all() else None
