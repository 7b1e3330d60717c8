"""One dialogue of each way of speaking, played in memory, and the script read off it: who says how much, and when.

A class of dialogues shares protocol, port and options; names in them are replaced by names of ours, counted in what is
said, so that a script serves hosts and agents of any length. Nothing of a timeline is kept here, so scripts serve any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from itertools import groupby
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lab.protocols import Dialogue, Message
from lab.protocols.tls import wrap
from lab.stages.dialogues import upgraded
from lab.stages.flows.classes import Class, texts_in
from lab.stages.flows.sizes import CLOSE_BYTES, Law, law_of
from lab.stages.seeds import generator, states_of

SMALL = (1, 2, 4, 6, 8, 10, 12, 13, 16, 20, 24, 28, 32, 33, 40, 48, 56, 64, 80, 96, 112, 128, 130, 144, 160, 192, 224)
LARGE = (256, 300, 350, 400, 450, 512, 768, 1_024, 1_400, 2_048, 4_096, 8_192, 16_384, 65_536)
GRID = (*SMALL, *LARGE)
#: How an exchange is asked for: more up, more down, only up, only down, neither.
UPWARD, DOWNWARD, ONLY_UP, ONLY_DOWN, NEITHER, TERSE = range(6)  # TERSE: more up, and hardly anything down
_SHARES = {UPWARD: (1, 4), DOWNWARD: (4, 1), ONLY_UP: (1, 0), ONLY_DOWN: (0, 1)}
_CURT = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32)  # answers that may be of another kind than longer ones
_START, _FIRST, _APART = (
    1_000_000_000_000_000,
    1_000_000_010_000_000,
    1_200_000,
)  # close: nothing is refreshed meanwhile
_TRIALS, WORTH_US, _DUE = 6, 50_000, (1_000, 50_000, 100_000, 250_000, 1_000_000)
_ENDLESS, HEAD = 1 << 62, 2_048
_DELAYS = (200_000, 400_000)


@dataclass(frozen=True)
class Turn:
    """What one side says at a time: its law, the texts in it, and when it is due: ``wait_us`` and a share of the delay.

    ``head`` are the first bytes of one such turn.
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


@dataclass(frozen=True)
class Script:
    """What a class says: to set up, in an exchange of each kind up to each size, and behind the last one."""

    kind: Class
    udp: bool
    setup: tuple[Turn, ...]
    joins: tuple[int, int]  # a first exchange due so soon (us; 0: never) leaves with that turn of the set-up
    drawn: bool  # each conversation draws sizes and waits of its set-up that matter
    exchanges: Mapping[int, tuple[tuple[int, tuple[Turn, ...]], ...]]  # kind -> (size below which, turns), ascending
    farewell: tuple[Turn, ...]
    terse: int = 0  # bytes: answers up to this to a longer word are of the kind TERSE


@lru_cache(maxsize=4096)
def script_of(kind: Class) -> Script:
    """The script of a class; whatever the protocol raises."""
    module = _module(kind)
    terse = _terse(kind)
    ways = (*_SHARES, TERSE) if terse else tuple(_SHARES)
    asked = [(way, up, down) for way in ways for up, down in _sizes(way, terse)]
    asked += [(NEITHER, 0, 0)] * 2
    takes = [_spoken(kind, asked, delay) for delay in _DELAYS]
    parts = [list(zip(*pair, strict=True)) for pair in zip(*takes, strict=True)]
    setup = _turns(kind, [_Row(0, 0, _START, parts[0])])
    rows = [
        (way, _Row(up, down, _FIRST + at * _APART, part))
        for at, ((way, up, down), part) in enumerate(zip(asked, parts[1:], strict=True))
    ]
    usual, last = rows[-2:]
    farewell = _turns(kind, [last[1]])[len(_runs(usual[1].said)) :]
    exchanges = {way: tuple(_regimes(kind, [row for of, row in rows[:-1] if of == way])) for way in (*ways, NEITHER)}
    return Script(kind, module.TRANSPORT == "udp", setup, _joins(kind), _is_drawn(kind), exchanges, farewell, terse)


def _terse(kind: Class) -> int:
    """Up to how many bytes an answer to a longer word leads to other turns than a long one; 0: none does."""
    asked = [(UPWARD, LARGE[0], down) for down in (*_CURT, SMALL[-1])]
    said = _spoken(kind, asked, _DELAYS[0])[1:]
    shapes = [
        _shape(_Row(up, down, 0, list(zip(one, one, strict=True))))
        for (_, up, down), one in zip(asked, said, strict=True)
    ]
    return max((down for down, shape in zip(_CURT, shapes, strict=False) if shape != shapes[-1]), default=0)


def _joins(kind: Class) -> tuple[int, int]:
    """How soon a first exchange must be due to leave with words of the set-up, and with which of its turns."""
    asked = [(UPWARD, 300, 100)]
    far = _said_by_turn(_spoken(kind, asked, _DELAYS[0])[0])
    if kind.upgrades or not far or not far[0][0]:
        return 0, 0
    found = (0, 0)
    for due in _DUE:
        near = _said_by_turn(_spoken(kind, asked, _DELAYS[0], first=_START + due)[0])
        grown = [
            at
            for at, (one, other) in enumerate(zip(far, near, strict=False))
            if one[0] and other[0] and other[1] > one[1]
        ]
        found = (due, grown[0]) if grown else found
    return found


def _said_by_turn(said: list[Message]) -> list[tuple[bool, int]]:
    """Who says how many bytes at once, one turn after the other."""
    return [(runs[0][0].from_client, sum(len(one.data) for one, _ in runs)) for runs in _runs([(m, m) for m in said])]


def _is_drawn(kind: Class) -> bool:
    """Whether set-ups of a class differ by more than a tenth of a size or WORTH_US of waiting; never those with TLS."""
    if kind.upgrades:
        return False
    sizes, waits = [], []
    for seed in range(_TRIALS):
        said = setup_of(kind, states_of(np.array([seed], dtype=np.int64))[0])
        sizes.append([size for size, _ in said])
        waits.append([wait for _, wait in said])
    if not sizes[0] or len({len(one) for one in sizes}) > 1:
        return False
    low, high = np.min(sizes, axis=0), np.max(sizes, axis=0)
    return bool((high > low * 1.1).any() or (np.ptp(waits, axis=0) > WORTH_US).any())


def setup_of(kind: Class, state: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Bytes and waits (since the opening) of the set-up of a conversation with that random state."""
    module, none = _module(kind), np.zeros(0, dtype=np.int64)
    options = dict(kind.options)
    said = Dialogue(
        kind.host, kind.port, options, kind.agent, none, none, none, none, generator(state), _START, kind.stack
    )
    runs = groupby(module.messages(said), key=lambda one: (one.from_client, one.time))
    return [(sum(len(one.data) for one in run), time - _START) for (_, time), run in runs]


def _module(kind: Class) -> ModuleType:
    return import_module(f"lab.protocols.{kind.protocol.replace('-', '_')}")


def said(kind: Class, sizes: Sequence[tuple[int, int]]) -> list[list[Message]]:
    """The messages of the set-up, and of each exchange of these sizes."""
    return _spoken(kind, [(UPWARD, up, down) for up, down in sizes], _DELAYS[0])


def _sizes(way: int, terse: int) -> Iterator[tuple[int, int]]:
    if way == TERSE:
        yield from ((size, min(size, terse)) for size in GRID)
        return
    of_up, of_down = _SHARES[way]
    for size in GRID:
        yield (-(-size // of_up) if of_up else 0, -(-size // of_down) if of_down else 0)


def _spoken(
    kind: Class, asked: Sequence[tuple[int, int, int]], delay: int, *, first: int = _FIRST
) -> list[list[Message]]:
    """The messages of the set-up and of each exchange."""
    count = len(asked)
    time = first + np.arange(count, dtype=np.int64) * _APART
    up, down = (np.array([row[place] for row in asked], dtype=np.int64) for place in (1, 2))
    rng = generator(states_of(np.array([_FIRST], dtype=np.int64))[0])
    delays = np.full(count, delay, dtype=np.int64)
    options = dict(kind.options)
    said = Dialogue(kind.host, kind.port, options, kind.agent, time, up, down, delays, rng, _START, kind.stack)
    parts: list[list[Message]] = [[] for _ in range(count + 1)]
    coming = _module(kind).messages(said)
    if kind.upgrades:
        coming = upgraded(coming, lambda rest, begin: _secured(kind, rest, begin, rng))
    for message in coming:
        place = 0 if message.time < _FIRST else 1 + min((message.time - _FIRST) // _APART, count - 1)
        if message.data:
            parts[place].append(message)
    return parts


_Pairs = list[tuple[Message, Message]]  # of both takes


def _secured(kind: Class, rest: Iterator[Message], begin: int, rng: np.random.Generator) -> Iterator[Message]:
    return wrap(rest, host=kind.host, stack=kind.stack, alpn="", rng=rng, start=begin)


class _Row(NamedTuple):
    """One exchange as asked for, when, and what became of it."""

    up: int
    down: int
    begin: int
    said: _Pairs


def _regimes(kind: Class, rows: list[_Row]) -> Iterator[tuple[int, tuple[Turn, ...]]]:
    """Neighbouring sizes that have the same turns, and laws that are simple, share their laws."""
    groups = [part for _, group in groupby(rows, key=_shape) for part in _simple(kind, list(group))]
    for (_, turns), following in zip(groups, [*groups[1:], None], strict=True):
        yield _ENDLESS if following is None else max(following[0][0].up, following[0][0].down), turns


def _simple(kind: Class, rows: list[_Row]) -> list[tuple[list[_Row], tuple[Turn, ...]]]:
    """The rows and their turns, in two parts where that makes the laws of both simple: pings beside data."""
    turns = _turns(kind, rows)
    if any(turn.law.tried for turn in turns):
        for at in range(2, len(rows) - 2):
            parts = [(part, _turns(kind, part)) for part in (rows[:at], rows[at:])]
            if not any(turn.law.tried for _, made in parts for turn in made):
                return parts
    return [(rows, turns)]


def _shape(row: _Row) -> tuple[tuple[bool, bool], ...]:
    return tuple((run[0][0].from_client, run[0][0].pushed) for run in _runs(row.said))


def _runs(pairs: _Pairs) -> list[_Pairs]:
    """Messages that one side says at once, behind one another."""
    return [list(run) for _, run in groupby(pairs, key=lambda pair: (pair[0].from_client, pair[0].time))]


def _turns(kind: Class, rows: list[_Row]) -> tuple[Turn, ...]:
    """The turns of exchanges that have the same ones."""
    runs = [_runs(row.said) for row in rows]
    turns = tuple(_turn(kind, rows, [own[at] for own in runs]) for at in range(len(runs[0])))
    return _open_ended(turns, rows[0]) if len(rows) == 1 and max(rows[0].up, rows[0].down) >= LARGE[0] else turns


def _open_ended(turns: tuple[Turn, ...], row: _Row) -> tuple[Turn, ...]:
    """Turns that were tried with one size only: the largest of each side grows with what is asked of that side."""
    made = list(turns)
    for by_client, asked in ((True, row.up), (False, row.down)):
        mine = [(turn.law.least, at) for at, turn in enumerate(turns) if turn.from_client == by_client]
        if mine and asked:
            size, at = max(mine)
            made[at] = replace(turns[at], by_up=by_client, law=Law(1, size - asked))
    return tuple(made)


def _turn(kind: Class, rows: list[_Row], said: list[_Pairs]) -> Turn:
    (first, later), *_ = said[0]
    waits = [one.time - rows[0].begin for one in (first, later)]
    share = (waits[1] - waits[0]) / (_DELAYS[1] - _DELAYS[0])
    sizes = [sum(len(one.data) for one, _ in run) for run in said]
    by_up, law = _law(rows, sizes, by_up=first.from_client)
    data = b"".join(one.data for one, _ in said[0])
    return Turn(
        from_client=first.from_client,
        pushed=first.pushed,
        by_up=by_up,
        law=law,
        texts=texts_in(kind, data),
        wait_us=round(waits[0] - share * _DELAYS[0]),
        share=share,
        most=max(len(one.data) for one, _ in said[-1]) if len(said[-1]) > 1 else _ENDLESS,
        head=data[:HEAD],
    )


def _law(rows: list[_Row], sizes: list[int], *, by_up: bool) -> tuple[bool, Law]:
    """The law of what this side was asked for, unless one of what the other was is simpler."""
    found = []
    for side in (by_up, not by_up):
        asked = [row.up if side else row.down for row in rows]
        known = dict(zip(reversed(asked), reversed(sizes), strict=True))
        law = law_of(list(reversed(known)), list(reversed(known.values())))
        alone = all(abs(known[one] - size) <= CLOSE_BYTES for one, size in zip(asked, sizes, strict=True))
        if alone and not law.tried:
            return side, law
        found.append((side, law))
    return found[0]
