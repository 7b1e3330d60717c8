"""Everything that is said in a slice of a timeline, turn by turn, in columns: by whom, when, and how much.

The scripts of lab/stages/flows/probes.py give sizes and waits, lanes.py the pace; no byte is made. Conversations of one
class, and their exchanges of one kind, are worked on together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.flows.lanes import Walk, starts
from lab.stages.flows.parts import PARTING, SETTING_UP, Part, Scene, Spoken, Turns, add, columns, joined, taken
from lab.stages.flows.probes import DOWNWARD, EVEN, EVENLY, NEITHER, ONLY_DOWN, ONLY_UP, TERSE, UPWARD, Script, setup_of
from lab.stages.flows.regimes import Turn
from lab.stages.flows.shaking import goodbyes, handshakes
from lab.stages.seeds import mixed, states_of

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

RECORD_PLAINTEXT = 1 << 14  # RFC 8446 section 5.1
_WAITS = 7  # a salt


def spoken(scene: Scene) -> Spoken:
    """All turns of a scene."""
    ready = scene.start + np.where(scene.lanes.tcp, scene.lanes.rtt + TURN_US, 0)
    script = scene.ways.script
    silent = np.array([not one.setup for one in scene.ways.scripts], dtype=np.bool_)[script]
    at_once = scene.lanes.tcp & silent & (scene.ways.flight < 0)
    ready += np.where(at_once, scene.lanes.client_gap, 0)
    parts: list[Part] = []
    begins: list[Int64] = []

    def follow(part: Part, since: Int64) -> None:
        parts.append(part)
        begins.append(since[part.conversation])
        since[part.conversation] += part.lasts

    shaken = handshakes(scene)
    joining = _joining(scene)
    exchanges = list(_exchanges(scene, joining))
    for part in (*([shaken] if shaken else []), *_setups(scene)):
        follow(part, ready)
    begin, over = _placed(scene, exchanges, ready)
    parts += exchanges
    begins += [begin[part.exchange] for part in exchanges]
    for part in _farewells(scene):
        follow(part, over)
    over = np.maximum(scene.said.close[scene.rows], over)
    goodbye = goodbyes(scene)
    if goodbye is not None:
        follow(goodbye, over)
    turns = _together(scene, joined(parts, begins), joining)
    last = scene.start.copy()
    np.maximum.at(last, turns.conversation, turns.end)
    gap = np.where(scene.ways.flight >= 0, scene.lanes.client_gap, 0)
    return Spoken(turns, np.where(scene.lanes.tcp, over + gap, last))


def _joining(scene: Scene) -> Bool:
    """The exchanges whose client's words leave with words of the set-up."""
    x, first = scene.x, np.ones(len(scene.x.time), dtype=np.bool_)
    first[1:] = x.conversation[1:] != x.conversation[:-1]
    soon = np.array([one.joins.soon for one in scene.ways.scripts], dtype=np.int64)[scene.ways.script]
    joining: Bool = first & (x.up > 0) & (x.time - scene.start[x.conversation] <= soon[x.conversation])
    return joining & (soon[x.conversation] > 0)


def _together(scene: Scene, turns: Turns, joining: Bool) -> Turns:
    """The turns with those first words in their place, and answers to datagrams behind them; in the order of time."""
    at = np.array([one.joins.turn for one in scene.ways.scripts], dtype=np.int64)[scene.ways.script][turns.conversation]
    mine = np.flatnonzero((turns.exchange >= 0) & (turns.exchange < len(joining)))
    mine = mine[joining[turns.exchange[mine]]]
    rows = mine[(turns.turn[mine] == 0) & turns.client[mine]]
    if not len(rows):  # sorted all the same: the order may not depend on who else is in the scene
        return taken(turns, np.lexsort((turns.turn, turns.exchange, turns.begin, turns.conversation)))
    begun = np.full(int(turns.conversation.max()) + 1, -1, dtype=np.int64)
    own = np.flatnonzero((turns.exchange == SETTING_UP) & (turns.turn == at))
    begun[turns.conversation[own]] = turns.end[own]
    early = np.zeros(len(begun), dtype=np.int64)
    early[turns.conversation[rows]] = turns.begin[rows] - begun[turns.conversation[rows]]
    begin, end = turns.begin.copy(), turns.end.copy()
    later = mine[~scene.lanes.tcp[turns.conversation[mine]]]
    begin[later] -= early[turns.conversation[later]]
    end[later] -= early[turns.conversation[later]]
    stream = rows[scene.lanes.tcp[turns.conversation[rows]]]
    begin[stream] = end[stream] = begun[turns.conversation[stream]]
    moved = replace(turns, begin=begin, end=end)
    return taken(moved, np.lexsort((moved.turn, moved.exchange, begin, moved.conversation)))


def _setups(scene: Scene) -> Iterator[Part]:
    script = scene.ways.script
    for number, one in enumerate(scene.ways.scripts):
        rows = np.flatnonzero(script == number)
        if one.setup and len(rows):
            nothing = np.zeros(len(rows), dtype=np.int64)
            drawn = _drawn(scene, one, rows) if one.drawn else None
            asked = _Asked(nothing, nothing, nothing, opened=True, drawn=drawn)
            yield _said(scene, one.setup, rows, np.full(len(rows), SETTING_UP), asked)


def _drawn(scene: Scene, script: Script, rows: Int64) -> Int64:
    """(rows, turns, 2) bytes and waits of set-ups that each conversation draws for itself, as on the wire."""
    count = len(script.setup)
    made = []
    for state in states_of(scene.seed[rows]):
        said = setup_of(script.kind, state)[:count]
        made.append(said + [(1, 0)] * (count - len(said)))
    return np.array(made, dtype=np.int64).reshape(len(rows), count, 2)


def _farewells(scene: Scene) -> Iterator[Part]:
    script = scene.ways.script
    for number, one in enumerate(scene.ways.scripts):
        rows = np.flatnonzero(script == number)
        if one.farewell and len(rows):
            nothing = np.zeros(len(rows), dtype=np.int64)
            yield _said(scene, one.farewell, rows, np.full(len(rows), PARTING), _Asked(nothing, nothing, nothing))


@dataclass(frozen=True)
class _Asked:
    """What is asked for in some exchanges."""

    up: Int64
    down: Int64
    delay: Int64
    opened: bool = False
    early: Bool | None = None  # whose client's words are said before, in a record that is there anyway
    drawn: Int64 | None = None  # (rows, turns, 2) bytes and waits, in place of the laws


def _exchanges(scene: Scene, joining: Bool) -> Iterator[Part]:
    """The exchanges, those of one script, kind and range of sizes together."""
    x, script = scene.x, scene.ways.script
    if not len(x.time):
        return
    kind = np.select(
        [(x.up == 0) & (x.down == 0), x.down == 0, x.up == 0, x.up > x.down], [NEITHER, ONLY_UP, ONLY_DOWN, UPWARD]
    )
    kind = np.where((x.up > 0) & (x.down >= x.up), DOWNWARD, kind)
    heavy = np.maximum(x.up, x.down)
    terse = np.array([one.terse for one in scene.ways.scripts], dtype=np.int64)[script][x.conversation]
    curt = (kind == UPWARD) & (x.down <= terse)
    even = np.isin(kind, (UPWARD, DOWNWARD)) & (heavy <= EVENLY * np.minimum(x.up, x.down))
    kind = np.select([curt, even], [TERSE, EVEN], kind)
    first = np.ones(len(kind), dtype=np.bool_)
    first[1:] = x.conversation[1:] != x.conversation[:-1]
    apart = np.array([bool(one.first) for one in scene.ways.scripts], dtype=np.bool_)[script][x.conversation]
    group = (script[x.conversation] * 8 + kind) * 2 + (first & apart & (kind != NEITHER))
    order = np.argsort(group, kind="stable")
    numbers, at_first = np.unique(group[order], return_index=True)
    for number, rows in zip(numbers.tolist(), np.split(order, at_first[1:]), strict=True):
        one = scene.ways.scripts[number >> 4]
        regimes = (one.first if number & 1 else one.exchanges)[number >> 1 & 7]
        place = np.searchsorted([below for below, _ in regimes[:-1]], heavy[rows], side="right")
        for at, (_, turns) in enumerate(regimes):
            chosen = rows[place == at]
            if len(chosen):
                early = joining[chosen] & (not one.joins.apart)
                asked = _Asked(x.up[chosen], x.down[chosen], x.delay[chosen], early=early if early.any() else None)
                yield _said(scene, turns, x.conversation[chosen].astype(np.int64), chosen, asked)


def _said(scene: Scene, turns: tuple[Turn, ...], rows: Int64, exchange: Int64, asked: _Asked) -> Part:
    """The same turns of several conversations (``rows``), relative to when their clients may begin."""
    lanes, ways = scene.lanes.take(rows), scene.ways
    longer = ways.longer[rows]
    flight = ways.flight[rows]
    overhead = ways.overheads[flight]
    spread = (mixed(scene.seed[rows], _WAITS) >> np.uint64(44)).astype(np.float64) / (1 << 20) + 0.5
    walk, made = Walk.begun(lanes, opened=asked.opened), columns()
    for at, turn in enumerate(turns):
        more = longer @ np.array(turn.texts)
        drawn = None if asked.drawn is None else asked.drawn[:, at]
        plain = drawn[:, 0] + more if drawn is not None else turn.sizes(asked.up, asked.down, more)
        plain = np.maximum(plain, 1)
        size = plain + -(-plain // RECORD_PLAINTEXT) * overhead
        packets = -(-size // np.where(lanes.tcp, lanes.mss, max(turn.most, 1)))
        if at == 0 and turn.from_client and asked.early is not None:
            size = np.where(asked.early, plain, size)
            packets = np.where(asked.early & lanes.tcp, packets - 1, packets)
        due = (turn.wait_us * spread + turn.share * asked.delay).astype(np.int64) if drawn is None else drawn[:, 1]
        if turn.from_client:
            begin, end = walk.client_says(due, packets)
        else:
            begin, end = walk.server_says(due, packets, pushed=turn.pushed)
        add(made, at, by_client=turn.from_client, begin=begin, end=end, size=size, plain=plain, packets=packets)
    return Part(rows, exchange, made, walk.ready)


def _placed(scene: Scene, parts: list[Part], ready: Int64) -> tuple[Int64, Int64]:
    """When each exchange begins, and when each conversation's last one is over."""
    x = scene.x
    lasts = np.zeros(len(x.time), dtype=np.int64)
    for part in parts:
        lasts[part.exchange] = part.lasts
    first = np.ones(len(x.time), dtype=np.bool_)
    first[1:] = x.conversation[1:] != x.conversation[:-1]
    time = np.where(first, np.maximum(x.time, ready[x.conversation]), x.time)
    begin = starts(time, lasts, first)
    over = ready.copy()
    ends = np.flatnonzero(np.append(first[1:], True)) if len(first) else np.zeros(0, dtype=np.int64)
    over[x.conversation[ends]] = begin[ends] + lasts[ends]
    return begin, over
