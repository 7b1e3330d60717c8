"""A timeline worked on a few devices at a time, and the tables made of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.capture.flows import DNS_PORT
from detector.contract import Advance
from lab.stages.flows import decrypted, lookups
from lab.stages.flows.lanes import lanes_of
from lab.stages.flows.limits import Seen, opened, seen
from lab.stages.flows.parts import Scene
from lab.stages.flows.pieces import Exchanged, Pieces, cut, exchanged
from lab.stages.flows.reading import later_names, openings, read_names
from lab.stages.flows.tables import Known, Sides, exchanges_table, flows_table
from lab.stages.flows.turns import spoken
from lab.stages.flows.ways import Ways, ways_of
from lab.stages.labels import Carried
from lab.stages.link import Links
from lab.timeline import Exchanges, Timeline

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
T = TypeVar("T")

SCENE = 1 << 14  # conversations worked on at a time, unless one device has more: small enough for the caches


@dataclass(frozen=True)
class Played:
    """What each conversation carried, and the tables exchanges, http, dns and flows, made when they are asked for."""

    carried: Carried
    tables: Iterator[tuple[str, pa.Table]]


@dataclass
class _Gathered:
    """What the scenes gave, in columns that count the timeline's conversations and all pieces so far."""

    pieces: list[Pieces] = field(default_factory=list)
    exchanged: list[Exchanged] = field(default_factory=list)
    asked: list[lookups.Asked] = field(default_factory=list)
    requests: list[decrypted.Asked] = field(default_factory=list)
    count: int = 0


def played(timeline: Timeline, links: Links, advance: Advance) -> Played:
    """The tables of a timeline."""
    ways, sides = ways_of(timeline, links.room), Sides.of(links)
    n = len(timeline.conversations.start)
    carried = Carried(timeline.conversations.start.copy(), *(np.zeros(n, dtype=np.int64) for _ in range(4)))
    gathered, done = _Gathered(), 0
    clear = np.array([lookups.readable(one) for one in timeline.speeches], dtype=np.int64)[
        timeline.conversations.speech
    ]
    how = _requesting(timeline, ways, links)
    for rows, x_rows in _scenes(timeline):
        scene = _scene(timeline, links, ways, rows, x_rows)
        whole = seen(scene, spoken(scene), links.lingers[rows])
        _count(scene, whole, carried)
        _gather(gathered, scene, whole, x_rows, (sides, clear[rows], how[rows]))
        done += len(rows)
        advance(done, n)
    return Played(carried, _tables(timeline, ways, sides, gathered))


def _tables(timeline: Timeline, ways: Ways, sides: Sides, gathered: _Gathered) -> Iterator[tuple[str, pa.Table]]:
    """The tables one after the other; what is in one is forgotten before the next is made."""
    pieces = _joined(Pieces, gathered.pieces)
    yield "exchanges", exchanges_table(_joined(Exchanged, gathered.exchanged), pieces)
    yield "http", decrypted.http_table(timeline, ways, sides, _joined(decrypted.Asked, gathered.requests))
    asked = _joined(lookups.Asked, gathered.asked)
    yield "dns", lookups.dns_table(timeline, sides, pieces, asked)
    names, which = read_names(timeline, ways, openings(timeline, ways))
    going_on, later = later_names(ways, pieces)
    known = Known([*names, *going_on], which, later + len(names), *_resolved(timeline, asked))
    yield "flows", flows_table(timeline, sides, pieces, known)


def _scenes(timeline: Timeline) -> Iterator[tuple[Int64, Int64]]:
    """Conversations of some devices at a time, and their exchanges."""
    said, x = timeline.conversations, timeline.exchanges
    device = np.array([app.device for app in timeline.apps], dtype=np.int64)[said.app]
    count = np.bincount(device, minlength=len(timeline.devices))
    group = (np.cumsum(count) - count) // SCENE
    scene = group[device]
    last = int(group[-1]) if len(group) else 0
    if not last:
        yield np.arange(len(said.start)), np.arange(len(x.time))
        return
    of = scene[x.conversation]
    for number in range(last + 1):
        rows = np.flatnonzero(scene == number)
        if len(rows):
            yield rows, np.flatnonzero(of == number)


def _scene(timeline: Timeline, links: Links, ways: Ways, rows: Int64, x_rows: Int64) -> Scene:
    said, x = timeline.conversations, timeline.exchanges
    place = np.full(len(said.start) + 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    mine = Exchanges(
        place[x.conversation[x_rows]].astype(np.int32), x.time[x_rows], x.up[x_rows], x.down[x_rows], x.delay[x_rows]
    )
    return Scene(
        said,
        ways.take(rows),
        said.seed[rows],
        rows,
        lanes_of(links, rows),
        mine,
        links.until[rows],
        place[links.tunnel[rows]],
    )


def _gather(gathered: _Gathered, scene: Scene, whole: Seen, x_rows: Int64, about: tuple[Sides, Int64, Int64]) -> None:
    (sides, clear, how), rows = about, scene.rows
    ports = (sides.client_port[rows], sides.server_port[rows])
    pieces, piece = cut(scene, whole, ports)
    queries = (ports[1] == DNS_PORT) & ~sides.tcp[rows]
    talk = exchanged(whole, pieces, piece, queries)
    asked = lookups.asked(whole.turns, piece + gathered.count, np.where(whole.hidden, 0, clear), rows, x_rows)
    sizes = (scene.x.up, scene.x.down)
    requests = decrypted.asked(whole.turns, np.where(whole.hidden, decrypted.NOTHING, how), rows, sizes)
    kept = requests.end < scene.until[np.searchsorted(rows, requests.row)]
    gathered.requests.append(_narrow(decrypted.Asked(*(column[kept] for column in vars(requests).values()))))
    gathered.asked.append(asked)
    gathered.exchanged.append(_narrow(replace(talk, piece=talk.piece + gathered.count)))
    gathered.pieces.append(replace(pieces, conversation=rows[pieces.conversation]))
    gathered.count += len(pieces.start)


def _count(scene: Scene, whole: Seen, carried: Carried) -> None:
    """What each conversation carried, those in tunnels too."""
    turns, rows = whole.said, scene.rows
    n = len(rows)
    for side, name in ((True, "up"), (False, "down")):
        mine = turns.client == side
        for column, word in ((turns.size, "bytes"), (turns.packets, "packets")):
            sums = np.bincount(turns.conversation[mine], weights=column[mine], minlength=n).astype(np.int64)
            getattr(carried, f"{word}_{name}")[rows] = sums
    end = opened(scene)
    np.maximum.at(end, turns.conversation, turns.end)
    end = np.where(whole.parts, whole.closed + scene.lanes.rtt, end)
    carried.end[rows] = np.minimum(end, scene.until)


def _requesting(timeline: Timeline, ways: Ways, links: Links) -> Int64:
    """What of each conversation a proxy reads as requests: nothing of those that come in, or go to a neighbour."""
    how = np.array([decrypted.manner(script) for script in ways.scripts], dtype=np.int64)[ways.script]
    near = np.array([host.address.startswith("10.88.") for host in timeline.hosts], dtype=np.bool_)[
        timeline.conversations.host
    ]
    return np.where(links.inbound | near, decrypted.NOTHING, how)


def _resolved(timeline: Timeline, asked: lookups.Asked) -> tuple[list[str], Int64]:
    """The names of hosts, and of every conversation the host whose address somebody had been told by then, or -1."""
    said = timeline.conversations
    given = [speech.options.get("answer", "") for speech in timeline.speeches]
    first: dict[str, int] = {}
    heard = asked.answered >= 0
    for speech, time in zip(said.speech[asked.row[heard]].tolist(), asked.answered[heard].tolist(), strict=True):
        if given[speech] and time < first.get(given[speech], 1 << 62):
            first[given[speech]] = time
    never = np.array([first.get(host.address, 1 << 62) for host in timeline.hosts], dtype=np.int64)
    names = [host.name for host in timeline.hosts]
    named = np.array([bool(name) for name in names], dtype=np.bool_)[said.host]
    told = named & (never[said.host] <= said.start) & ~said.inbound
    return names, np.where(told, said.host, -1)


_TIMES = frozenset({"start", "end", "time", "first_down"})


def _narrow(columns: T) -> T:
    """The same with what is no time in half the bytes."""
    made = {name: column if name in _TIMES else column.astype(np.int32) for name, column in vars(columns).items()}
    return type(columns)(**made)


def _joined(kind: type[T], parts: list[T]) -> T:
    """The parts as one, column by column; the list is empty then."""
    none = np.zeros(0, dtype=np.int32)
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]  # all are dataclasses of columns
    taken = [vars(part) for part in parts]
    parts.clear()
    return kind(*(np.concatenate([part.pop(name) for part in taken] or [none]) for name in names))
