"""One dialogue of each way of speaking, played in memory, and the script read off it: who says how much, and when.

A class of dialogues shares protocol, port and options; names in them are replaced by names of ours, counted in what is
said, so that a script serves hosts and agents of any length. Nothing of a timeline is kept here, so scripts serve any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lab.protocols import Dialogue, Message
from lab.protocols.tls import wrap
from lab.stages.dialogues import upgraded
from lab.stages.flows.classes import AGENT, Class
from lab.stages.flows.regimes import DELAYS, Row, Turn, regimes, runs_of, shape, turns_of
from lab.stages.flows.sizes import CLOSE_BYTES
from lab.stages.seeds import generator, states_of

SMALL = (1, 2, 4, 6, 8, 10, 12, 13, 16, 20, 24, 28, 32, 33, 40, 48, 56, 64, 80, 96, 112, 128, 130, 144, 160, 192, 224)
LARGE = (256, 300, 350, 400, 450, 512, 768, 1_024, 1_400, 2_048, 4_096, 8_192, 16_384, 65_536)
GRID = (*SMALL, *LARGE)
#: How an exchange is asked for: more up, more down, only up, only down, neither, more up and hardly anything down, and
#: neither side more than EVENLY times as much as the other.
UPWARD, DOWNWARD, ONLY_UP, ONLY_DOWN, NEITHER, TERSE, EVEN = range(7)
EVENLY = 2
# which parts of a size are asked for; two kinds of rows where one could not tell whose size a law is of
_SHARES = {UPWARD: [(1, 4)], DOWNWARD: [(4, 1)], ONLY_UP: [(1, 0)], ONLY_DOWN: [(0, 1)], EVEN: [(1, 2), (2, 1)]}
_CURT = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32)  # answers that may be of another kind than longer ones
_START, _FIRST, _APART = (
    1_000_000_000_000_000,
    1_000_000_010_000_000,
    1_200_000,
)  # close: nothing is refreshed meanwhile
_SOON = _START + 2_000_000  # behind the set-up, before anybody asks whether the other side is still there
_FEW = (1, 8, 16, 40, 80, 112, 128, 144, 160, 192, 224, 256, 300, 400, 1_024, 8_192)
_NONE = np.zeros(0, dtype=np.int64)
_TRIALS, WORTH_US, _DUE = 6, 50_000, (1_000, 50_000, 100_000, 250_000, 1_000_000)


class Joins(NamedTuple):
    """A first exchange that is due ``soon`` (us; 0: never) leaves with that ``turn`` of the set-up.

    ``apart``: in a record of its own.
    """

    soon: int
    turn: int
    apart: bool


@dataclass(frozen=True)
class Script:
    """What a class says: to set up, in an exchange of each kind up to each size, and behind the last one."""

    kind: Class
    udp: bool
    setup: tuple[Turn, ...]
    joins: Joins
    drawn: bool  # each conversation draws sizes and waits of its set-up that matter
    exchanges: Mapping[int, tuple[tuple[int, tuple[Turn, ...]], ...]]  # kind -> (size below which, turns), ascending
    farewell: tuple[Turn, ...]
    first: Mapping[int, tuple[tuple[int, tuple[Turn, ...]], ...]]  # of a connection's first exchange, if it is another
    terse: int = 0  # bytes: answers up to this to a longer word are of the kind TERSE


@lru_cache(maxsize=4096)
def script_of(kind: Class) -> Script:
    """The script of a class; whatever the protocol raises."""
    module = _module(kind)
    terse = _terse(kind)
    ways = (*_SHARES, TERSE) if terse else tuple(_SHARES)
    asked = [(way, up, down) for way in ways if way != EVEN for up, down in _sizes(way, terse)]
    setup, rows = _rows(kind, [*asked, (NEITHER, 0, 0), (NEITHER, 0, 0)])
    usual, last = rows[NEITHER]
    farewell = turns_of(kind, [last])[len(runs_of(usual.said)) :]
    rows |= {NEITHER: [usual]} | _rows(kind, [(EVEN, up, down) for up, down in _sizes(EVEN, terse)])[1]
    exchanges = {way: tuple(regimes(kind, own)) for way, own in rows.items()}
    least = [turn for _, turns in exchanges[NEITHER] for turn in turns]
    if least and not any(turn.texts[AGENT] for turn in least):  # where none says anything, no one can tell
        exchanges = {way: tuple((below, _filled(turns)) for below, turns in found) for way, found in exchanges.items()}
    return Script(
        kind,
        module.TRANSPORT == "udp",
        setup,
        _joins(kind),
        _is_drawn(kind),
        exchanges,
        farewell,
        _firsts(kind, ways, terse),
        terse,
    )


def _rows(kind: Class, asked: list[tuple[int, int, int]]) -> tuple[tuple[Turn, ...], dict[int, list[Row]]]:
    """The set-up, and for each way what became of the exchanges asked for; none of them is a connection's first."""
    warmed = [(EVEN, LARGE[0], LARGE[0]), *asked]
    takes = [_spoken(kind, warmed, delay) for delay in DELAYS]
    setup, _, *parts = [list(zip(*pair, strict=True)) for pair in zip(*takes, strict=True)]
    rows: dict[int, list[Row]] = {way: [] for way, *_ in asked}
    for at, ((way, up, down), part) in enumerate(zip(asked, parts, strict=True), start=1):
        rows[way].append(Row(up, down, _FIRST + at * _APART, part))
    return turns_of(kind, [Row(0, 0, _START, setup)]), rows


def _filled(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns of a class whose agent is cut to what fits, and so makes nothing longer: STUN's SOFTWARE."""
    return tuple(replace(turn, texts=(*turn.texts[:AGENT], 0, *turn.texts[AGENT + 1 :])) for turn in turns)


def _firsts(kind: Class, ways: Sequence[int], terse: int) -> dict[int, tuple[tuple[int, tuple[Turn, ...]], ...]]:
    """As exchanges, for a connection's first one; nothing where both sides say as much later: no tables of HPACK."""

    def sizes(said: list[Message]) -> list[int]:
        return [_bytes(turn) for turn in _turns_said(said)]

    up, down = LARGE[0], SMALL[0]
    alone = sizes(_spoken(kind, [(UPWARD, down, down)], DELAYS[0], first=_SOON)[1])
    later = sizes(_spoken(kind, [(UPWARD, up, down), (UPWARD, down, down)], DELAYS[0])[2])
    if len(alone) == len(later) and all(abs(a - b) <= CLOSE_BYTES for a, b in zip(alone, later, strict=True)):
        return {}
    found = {}
    for way in ways:
        rows = []
        for up, down in _sizes(way, terse, _FEW):
            takes = [_spoken(kind, [(way, up, down)], delay, first=_SOON)[1] for delay in DELAYS]
            rows.append(Row(up, down, _SOON, list(zip(*takes, strict=True))))
        found[way] = tuple(regimes(kind, rows))
    return found


def _terse(kind: Class) -> int:
    """Up to how many bytes an answer to a longer word leads to other turns than a long one; 0: none does."""
    asked = [(UPWARD, LARGE[0], down) for down in (*_CURT, SMALL[-1])]
    said = _spoken(kind, asked, DELAYS[0])[1:]
    shapes = [
        shape(Row(up, down, 0, list(zip(one, one, strict=True))))
        for (_, up, down), one in zip(asked, said, strict=True)
    ]
    return max((down for down, shape in zip(_CURT, shapes, strict=False) if shape != shapes[-1]), default=0)


def _joins(kind: Class) -> Joins:
    """How soon a first exchange must be due to leave with words of the set-up, and with which of its turns."""
    asked, found = [(UPWARD, 300, 100)], Joins(0, 0, apart=False)
    far = _turns_said(_spoken(kind, asked, DELAYS[0])[0])
    if kind.upgrades or not far or not far[0][0].from_client:
        return found
    for due in _DUE:
        near = _turns_said(_spoken(kind, asked, DELAYS[0], first=_START + due)[0])
        for at, (one, other) in enumerate(zip(far, near, strict=False)):
            if one[0].from_client and other[0].from_client and _bytes(other) > _bytes(one):
                found = Joins(due, at, apart=len(other) > len(one))
                break
    return found


def _turns_said(said: list[Message]) -> list[list[Message]]:
    """What one side says at once, one turn after the other."""
    return [[one for one, _ in run] for run in runs_of([(message, message) for message in said])]


def _bytes(said: list[Message]) -> int:
    return sum(len(one.data) for one in said)


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
    none, options = _NONE, dict(kind.options)
    said = Dialogue(
        kind.host,
        kind.port,
        options,
        kind.agent,
        *(none, none, none, none),
        generator(state),
        _START,
        kind.stack,
        kind.room,
    )
    spoken: list[tuple[int, int]] = []
    before: tuple[bool, int] | None = None
    for one in _module(kind).messages(said):
        if (one.from_client, one.time) == before:
            spoken[-1] = spoken[-1][0] + len(one.data), spoken[-1][1]
        else:
            before = one.from_client, one.time
            spoken.append((len(one.data), one.time - _START))
    return spoken


def _module(kind: Class) -> ModuleType:
    return _protocol(kind.protocol)


@cache
def _protocol(name: str) -> ModuleType:
    return import_module(f"lab.protocols.{name.replace('-', '_')}")


def said(kind: Class, sizes: Sequence[tuple[int, int]]) -> list[list[Message]]:
    """The messages of the set-up, and of each exchange of these sizes."""
    return _spoken(kind, [(UPWARD, up, down) for up, down in sizes], DELAYS[0])


def _sizes(way: int, terse: int, grid: Sequence[int] = GRID) -> Iterator[tuple[int, int]]:
    if way == TERSE:
        yield from ((size, min(size, terse)) for size in grid)
        return
    for size in grid:
        for of_up, of_down in _SHARES[way]:
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
    words = time, up, down, delays
    said = Dialogue(kind.host, kind.port, options, kind.agent, *words, rng, _START, kind.stack, kind.room)
    parts: list[list[Message]] = [[] for _ in range(count + 1)]
    since = first if first >= _SOON else _FIRST
    coming = _module(kind).messages(said)
    if kind.upgrades:
        coming = upgraded(coming, lambda rest, begin: _secured(kind, rest, begin, rng))
    for message in coming:
        place = 0 if message.time < since else 1 + min((message.time - since) // _APART, count - 1)
        if message.data:
            parts[place].append(message)
    return parts


def _secured(kind: Class, rest: Iterator[Message], begin: int, rng: np.random.Generator) -> Iterator[Message]:
    return wrap(rest, host=kind.host, stack=kind.stack, alpn="", rng=rng, start=begin)
