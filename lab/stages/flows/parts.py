"""The columns of what is said: turns of all conversations, and parts of them whose beginnings are not known yet."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lab.stages.flows.lanes import Lanes
from lab.stages.flows.ways import Ways
from lab.timeline import Conversations, Exchanges

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SHAKING, SETTING_UP, PARTING, PARTED = -2, -1, 1 << 40, 1 << 41  # places before and behind the exchanges


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
    ways: Ways  # of the rows alone
    seed: Int64
    rows: Int64
    lanes: Lanes
    x: Exchanges  # ``conversation`` counts the rows
    until: Int64  # (n,) when nothing passes any more
    tunnel: Int64  # (n,) which of the rows carries it, -1: none

    @property
    def start(self) -> Int64:
        """When each conversation begins."""
        return self.said.start[self.rows]


@dataclass
class Part:
    """Some turns in columns: name -> (rows,), times relative to a begin that is known later."""

    conversation: Int64
    exchange: Int64
    columns: dict[str, list[Int64]]
    lasts: Int64


_ADDED = tuple(field.name for field in fields(Turns))[2:]


def columns() -> dict[str, list[Int64]]:
    """Columns of a part, without rows."""
    return {name: [] for name in _ADDED}


def add(into: dict[str, list[Int64]], at: int, *, by_client: bool, **values: Int64) -> None:
    """Adds the ``at``-th turn of all conversations of a part; ``values``: begin, end, size, plain and packets."""
    count = len(values["begin"])
    made = {"turn": np.full(count, at), "client": np.full(count, by_client), **values}
    for name, column in into.items():
        column.append(made[name])


def joined(parts: list[Part], begins: list[Int64]) -> Turns:
    """The parts as one table, in the order in which things are said; what has no bytes is not said."""
    found: dict[str, list[Int64]] = {field.name: [] for field in fields(Turns)}
    for part, begin in zip(parts, begins, strict=True):
        times = len(part.columns["turn"])
        found["conversation"] += [part.conversation] * times
        found["exchange"] += [part.exchange] * times
        for name, made in part.columns.items():
            found[name] += [column + begin for column in made] if name in {"begin", "end"} else made
    none = np.zeros(0, dtype=np.int64)
    whole = {name: np.concatenate(made) if made else none for name, made in found.items()}
    order = np.lexsort((whole["turn"], whole["exchange"], whole["conversation"]))
    order = order[whole["size"][order] > 0]
    ordered = {name: column[order] for name, column in whole.items()}
    client: Bool = ordered.pop("client").astype(np.bool_)
    return Turns(client=client, **ordered)


def taken(turns: Turns, rows: Int64) -> Turns:
    """These turns, in this order."""
    return Turns(*(getattr(turns, field.name)[rows] for field in fields(Turns)))
