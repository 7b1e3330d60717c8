"""Everything that is said in a slice of a timeline, turn by turn, in columns: by whom, when, and how much.

The scripts of lab/stages/flows/probes.py give sizes and waits, lanes.py the pace; no byte is made. Conversations of one
class, and their exchanges of one kind, are worked on together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.stages.causality import TURN_US
from lab.stages.flows.lanes import Lanes, Walk, starts
from lab.stages.flows.probes import DOWNWARD, NEITHER, ONLY_DOWN, ONLY_UP, UPWARD, Script, Turn, setup_of
from lab.stages.flows.ways import Ways
from lab.stages.seeds import mixed, states_of
from lab.timeline import Conversations, Exchanges

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

RECORD_PLAINTEXT = 1 << 14  # RFC 8446 section 5.1
SERVER_CRYPTO_US, CLIENT_CRYPTO_US = (400, 2_600), (1_000, 7_000)  # least and spread, as lab/protocols/tls.py
SHAKING, SETTING_UP, PARTING, PARTED = -2, -1, 1 << 40, 1 << 41  # places before and behind the exchanges
_WAITS, _CRYPTO = 7, 8  # salts


@dataclass(frozen=True)
class Turns:
    """k turns, sorted by conversation and time. ``exchange`` is the row among the slice's, or one of the places above.

    ``size`` is L4 payload, ``plain`` without TLS; ``packets`` carry it. ``turn`` tells the turn of the script.
    """

    conversation: Int64
    exchange: Int64
    turn: Int64
    client: Bool
    begin: Int64
    end: Int64
    size: Int64
    plain: Int64
    packets: Int64


@dataclass(frozen=True)
class Spoken:
    """A slice: its turns, and when each conversation is over: its client's FIN, or the last datagram."""

    turns: Turns
    closed: Int64


@dataclass(frozen=True)
class Scene:
    """The conversations at hand (``rows`` of the timeline's, ascending) and their exchanges."""

    said: Conversations
    ways: Ways
    rows: Int64
    lanes: Lanes
    x: Exchanges  # ``conversation`` counts the rows
    until: Int64  # (n,) when nothing passes any more
    tunnel: Int64  # (n,) which of the rows carries it, -1: none

    @property
    def start(self) -> Int64:
        """When each conversation begins."""
        return self.said.start[self.rows]

    def part(self, column: Int64) -> Int64:
        """The slice's rows of a column of the ways."""
        return column[self.rows]


@dataclass
class _Part:
    """Some turns in columns: name -> (rows,), times relative to a begin that is known later."""

    conversation: Int64
    exchange: Int64
    columns: dict[str, list[Int64]]
    lasts: Int64
    client_first: bool


def spoken(scene: Scene) -> Spoken:
    """All turns of a scene."""
    ready = scene.start + np.where(scene.lanes.tcp, scene.lanes.rtt + TURN_US, 0)
    parts: list[_Part] = []
    begins: list[Int64] = []

    def follow(part: _Part, since: Int64) -> None:
        parts.append(part)
        begins.append(since[part.conversation])
        since[part.conversation] += part.lasts

    shaken = _handshakes(scene, _client_first(scene))
    for part in (*([shaken] if shaken else []), *_setups(scene)):
        follow(part, ready)
    exchanges = list(_exchanges(scene))
    begin, over = _placed(scene, exchanges, ready)
    parts += exchanges
    begins += [begin[part.exchange] for part in exchanges]
    for part in _farewells(scene):
        follow(part, over)
    over = np.maximum(scene.said.close[scene.rows], over)
    goodbye = _goodbyes(scene)
    if goodbye is not None:
        follow(goodbye, over)
    turns = _joined(parts, begins)
    last = scene.start.copy()
    np.maximum.at(last, turns.conversation, turns.end)
    gap = np.where(scene.part(scene.ways.flight) >= 0, scene.lanes.client_gap, 0)
    return Spoken(turns, np.where(scene.lanes.tcp, over + gap, last))


def _goodbyes(scene: Scene) -> _Part | None:
    """The client's closing alert."""
    flight = scene.part(scene.ways.flight)
    rows = np.flatnonzero(flight >= 0)
    if not len(rows):
        return None
    size = np.array([one.goodbye for one in scene.ways.flights], dtype=np.int64)[flight[rows]]
    columns, zero = _columns(), np.zeros(len(rows), dtype=np.int64)
    _add(columns, 0, by_client=True, begin=zero, end=zero, size=size, plain=zero, packets=zero + 1)
    return _Part(rows, np.full(len(rows), PARTED), columns, zero, client_first=True)


def _client_first(scene: Scene) -> Bool:
    """Whose client speaks as soon as it may: a set-up of its own, or an exchange at once."""
    first = np.full(len(scene.start), 1 << 62, dtype=np.int64)
    asking = np.flatnonzero(scene.x.up > 0)[::-1]
    first[scene.x.conversation[asking]] = scene.x.time[asking]
    at_once = first - scene.start <= SERVER_CRYPTO_US[0] + CLIENT_CRYPTO_US[0] + 4_000
    setup = [None if not one.setup else one.setup[0].from_client for one in scene.ways.scripts]
    begins = np.array([one is True for one in setup], dtype=np.bool_)[scene.part(scene.ways.script)]
    waits = np.array([one is False for one in setup], dtype=np.bool_)[scene.part(scene.ways.script)]
    return (begins | at_once) & ~waits


def _handshakes(scene: Scene, speaks_first: Bool) -> _Part | None:
    """The four flights of TLS; the client goes on behind its Finished, or behind the server's last flight."""
    flight = scene.part(scene.ways.flight)
    rows = np.flatnonzero(flight >= 0)
    if not len(rows):
        return None
    sizes = np.array([one.sizes for one in scene.ways.flights], dtype=np.int64)[flight[rows]]
    sizes[:, 1] += scene.part(scene.ways.chain)[rows]
    modern = np.array([one.at_once for one in scene.ways.flights], dtype=np.bool_)[flight[rows]]
    draw = mixed(scene.said.seed[scene.rows][rows], _CRYPTO).astype(np.uint64)
    server = SERVER_CRYPTO_US[0] + (draw % np.uint64(SERVER_CRYPTO_US[1])).astype(np.int64)
    client = server + CLIENT_CRYPTO_US[0] + (draw >> np.uint64(32)).astype(np.int64) % CLIENT_CRYPTO_US[1]
    lanes = scene.lanes.take(rows)
    walk = Walk.begun(lanes, opened=True)
    columns = _columns()
    at_once = modern & speaks_first[rows]
    ready = None
    for at, (due, by_client) in enumerate(((0, True), (server, False), (client, True), (client, False))):
        size = sizes[:, at]
        packets = -(-size // lanes.mss)
        due = np.zeros(len(rows), dtype=np.int64) + due
        begin, end = walk.client_says(due, packets) if by_client else walk.server_says(due, packets, pushed=False)
        _add(columns, at, by_client=by_client, begin=begin, end=end, size=size, plain=size * 0, packets=packets)
        ready = walk.ready if at == 2 else ready
    assert ready is not None
    return _Part(rows, np.full(len(rows), SHAKING), columns, np.where(at_once, ready, walk.ready), client_first=True)


def _setups(scene: Scene) -> Iterator[_Part]:
    script = scene.part(scene.ways.script)
    for number, one in enumerate(scene.ways.scripts):
        rows = np.flatnonzero(script == number) if one.setup else ()
        if len(rows):
            nothing = np.zeros(len(rows), dtype=np.int64)
            drawn = _drawn(scene, one, rows) if one.drawn else None
            asked = _Asked(nothing, nothing, nothing, opened=True, drawn=drawn)
            yield _said(scene, one.setup, rows, np.full(len(rows), SETTING_UP), asked)


def _drawn(scene: Scene, script: Script, rows: Int64) -> Int64:
    """(rows, turns, 2) bytes and waits of set-ups that each conversation draws for itself, as on the wire."""
    count = len(script.setup)
    made = []
    for state in states_of(scene.said.seed[scene.rows[rows]]):
        said = setup_of(script.kind, state)[:count]
        made.append(said + [(1, 0)] * (count - len(said)))
    return np.array(made, dtype=np.int64).reshape(len(rows), count, 2)


def _farewells(scene: Scene) -> Iterator[_Part]:
    script = scene.part(scene.ways.script)
    for number, one in enumerate(scene.ways.scripts):
        rows = np.flatnonzero(script == number) if one.farewell else ()
        if len(rows):
            nothing = np.zeros(len(rows), dtype=np.int64)
            yield _said(scene, one.farewell, rows, np.full(len(rows), PARTING), _Asked(nothing, nothing, nothing))


@dataclass(frozen=True)
class _Asked:
    """What is asked for in some exchanges."""

    up: Int64
    down: Int64
    delay: Int64
    opened: bool = False
    drawn: Int64 | None = None  # (rows, turns, 2) bytes and waits, in place of the laws


def _exchanges(scene: Scene) -> Iterator[_Part]:
    """The exchanges, those of one script, kind and range of sizes together."""
    x, script = scene.x, scene.part(scene.ways.script)
    kind = np.select(
        [(x.up == 0) & (x.down == 0), x.down == 0, x.up == 0, x.up > x.down], [NEITHER, ONLY_UP, ONLY_DOWN, UPWARD]
    )
    kind = np.where((x.up > 0) & (x.down >= x.up), DOWNWARD, kind)
    heavy = np.maximum(x.up, x.down)
    group = script[x.conversation] * 8 + kind
    order = np.argsort(group, kind="stable")
    numbers, first = np.unique(group[order], return_index=True)
    for number, rows in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
        regimes = scene.ways.scripts[number >> 3].exchanges[number & 7]
        place = np.searchsorted([below for below, _ in regimes[:-1]], heavy[rows], side="right")
        for at, (_, turns) in enumerate(regimes):
            chosen = rows[place == at]
            if len(chosen):
                asked = _Asked(x.up[chosen], x.down[chosen], x.delay[chosen])
                yield _said(scene, turns, x.conversation[chosen].astype(np.int64), chosen, asked)


def _said(scene: Scene, turns: tuple[Turn, ...], rows: Int64, exchange: Int64, asked: _Asked) -> _Part:
    """The same turns of several conversations (``rows``), relative to when their clients may begin."""
    lanes, ways = scene.lanes.take(rows), scene.ways
    longer = scene.part(ways.longer)[rows]
    flight = scene.part(ways.flight)[rows]
    overhead = np.array([*(one.overhead for one in ways.flights), 0], dtype=np.int64)[flight]
    spread = (mixed(scene.said.seed[scene.rows][rows], _WAITS) >> np.uint64(44)).astype(np.float64) / (1 << 20) + 0.5
    walk, columns = Walk.begun(lanes, opened=asked.opened), _columns()
    for at, turn in enumerate(turns):
        more = longer @ np.array(turn.texts)
        drawn = None if asked.drawn is None else asked.drawn[:, at]
        plain = drawn[:, 0] + more if drawn is not None else turn.law.sizes(asked.up if turn.by_up else asked.down, more)
        plain = np.maximum(plain, 1)
        size = plain + -(-plain // RECORD_PLAINTEXT) * overhead
        packets = -(-size // np.where(lanes.tcp, lanes.mss, max(turn.most, 1)))
        due = (turn.wait_us * spread + turn.share * asked.delay).astype(np.int64) if drawn is None else drawn[:, 1]
        if turn.from_client:
            begin, end = walk.client_says(due, packets)
        else:
            begin, end = walk.server_says(due, packets, pushed=turn.pushed)
        _add(columns, at, by_client=turn.from_client, begin=begin, end=end, size=size, plain=plain, packets=packets)
    return _Part(rows, exchange, columns, walk.ready, client_first=bool(turns) and turns[0].from_client)


def _placed(scene: Scene, parts: list[_Part], ready: Int64) -> tuple[Int64, Int64]:
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


_ADDED = tuple(field.name for field in fields(Turns))[2:]


def _columns() -> dict[str, list[Int64]]:
    return {name: [] for name in _ADDED}


def _add(columns: dict[str, list[Int64]], at: int, *, by_client: bool, **values: Int64) -> None:
    count = len(values["begin"])
    made = {"turn": np.full(count, at), "client": np.full(count, by_client), **values}
    for name, column in columns.items():
        column.append(made[name])


def _joined(parts: list[_Part], begins: list[Int64]) -> Turns:
    """The parts as one table, in the order in which things are said."""
    columns: dict[str, list[Int64]] = {field.name: [] for field in fields(Turns)}
    for part, begin in zip(parts, begins, strict=True):
        times = len(part.columns["turn"])
        columns["conversation"] += [part.conversation] * times
        columns["exchange"] += [part.exchange] * times
        for name, made in part.columns.items():
            columns[name] += [column + begin for column in made] if name in {"begin", "end"} else made
    none = np.zeros(0, dtype=np.int64)
    whole = {name: np.concatenate([none, *made]) if made else none for name, made in columns.items()}
    order = np.lexsort((whole["turn"], whole["exchange"], whole["conversation"]))
    made = {name: column[order] for name, column in whole.items()}
    return Turns(**{**made, "client": made["client"].astype(np.bool_)})
