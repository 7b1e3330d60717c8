"""Flows as a sensor cuts them, in columns: a conversation is one, and another after each long silence.

Limits and directions are those of the reader of captures (detector/capture/flows.py), of whose flows these are the
like. Packets without payload are estimated: openings, farewells, and acknowledgements for every second segment.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.capture.flows import DISCOVERY, EPHEMERAL, OTHER_IDLE_US, SERVICE, TCP_IDLE_US
from detector.contract import EXCHANGE_IDLE_US
from lab.stages.causality import TURN_US
from lab.stages.flows.limits import Seen, lone, opened, spoken_by_apps
from lab.stages.flows.parts import Scene, Turns, taken

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """One row per flow, by conversation and time; ``turned``: it was the server of the conversation that began it.

    ``asks`` and ``answers``: bytes of its first turn, and of the server's if that is the next; 0 for a first turn of
    the server.
    """

    conversation: Int64
    nth: Int64
    start: Int64
    end: Int64
    turned: Bool
    established: Bool
    packets_up: Int64
    packets_down: Int64
    bytes_up: Int64
    bytes_down: Int64
    asks: Int64
    answers: Int64


@dataclass(frozen=True)
class Exchanged:
    """One row per exchange as a sensor sees it, by piece and time; ``first_down`` is -1 where nothing came."""

    piece: Int64
    start: Int64
    end: Int64
    bytes_up: Int64
    bytes_down: Int64
    packets_up: Int64
    packets_down: Int64
    first_down: Int64


def cut(scene: Scene, whole: Seen, ports: tuple[Int64, Int64]) -> tuple[Pieces, Int64]:
    """The flows of a scene, and of every turn the flow it is in; ``ports`` of clients and servers.

    What travels in a tunnel is no flow.
    """
    turns, n = whole.turns, len(scene.start)
    of, tcp = turns.conversation, scene.lanes.tcp & ~whole.hidden
    first = np.ones(len(of), dtype=np.bool_)
    first[1:] = of[1:] != of[:-1]
    ready = opened(scene)
    silent = np.zeros(len(of), dtype=np.bool_)
    silent[1:] = turns.begin[1:] - turns.end[:-1] > np.where(tcp[of[1:]], TCP_IDLE_US, OTHER_IDLE_US)
    silent = np.where(first, tcp[of] & (turns.begin - ready[of] > TCP_IDLE_US), silent)
    last = np.where(tcp, ready, scene.start)
    ends = np.flatnonzero(np.append(first[1:], True)) if len(of) else np.zeros(0, dtype=np.int64)
    last[of[ends]] = turns.end[ends]
    late = tcp & whole.parts & (whole.closed - last > TCP_IDLE_US)
    heard = tcp.copy()
    heard[of] = True
    count = np.bincount(of[silent], minlength=n) + heard + late
    piece = (np.cumsum(count) - count)[of] + _within(silent, first)
    return _measured(scene, whole, piece, count, ports), piece


def _within(flag: Bool, first: Bool) -> Int64:
    """How many flags were raised in a row's conversation up to it."""
    run = np.cumsum(flag, dtype=np.int64)
    if not len(run):
        return run
    base: Int64 = (run - flag)[np.flatnonzero(first)]
    within: Int64 = run - base[np.cumsum(first) - 1]
    return within


def _measured(scene: Scene, said: Seen, piece: Int64, count: Int64, ports: tuple[Int64, Int64]) -> Pieces:
    turns, total = said.turns, int(count.sum())
    conversation = np.repeat(np.arange(len(count)), count)
    begin = np.cumsum(count) - count
    nth = np.arange(total) - begin[conversation]
    tcp = scene.lanes.tcp[conversation]
    last = tcp & (nth == count[conversation] - 1)
    opens, closes, resets = tcp & (nth == 0), last & said.parts[conversation], last & said.reset[conversation]
    start, end = np.full(total, 1 << 62, dtype=np.int64), np.full(total, -1, dtype=np.int64)
    np.minimum.at(start, piece, turns.begin)
    np.maximum.at(end, piece, turns.end)
    closed = said.closed[conversation]
    start = np.where(opens, scene.start[conversation], np.where(closes, np.minimum(start, closed), start))
    ready = np.minimum(opened(scene), np.maximum(scene.until - 1, scene.start))[conversation]
    end = np.where(opens, np.maximum(end, ready), end)
    end = np.where(closes, closed + scene.lanes.rtt[conversation] + TURN_US, end)
    end = np.minimum(np.where(resets, scene.until[conversation], end), scene.until[conversation])
    first = np.ones(len(piece), dtype=np.bool_)
    first[1:] = piece[1:] != piece[:-1]
    by_client = np.ones(total, dtype=np.bool_)
    by_client[piece[first]] = turns.client[first]
    turned = _turned(by_client, opens, tcp, (ports[0][conversation], ports[1][conversation]))
    sums = _counted(scene, turns, piece, total, (opens, closes, resets))
    up, down, sent, heard = (np.where(turned, b, a) for a, b in (sums[:2], sums[1::-1], sums[2:], sums[:1:-1]))
    established = np.where(tcp, opens | ((up > 0) & (down > 0)), (sent > 0) & (heard > 0))
    words = _opening(turns, piece, first, total)
    return Pieces(conversation, nth, start, end, turned, established, sent, heard, up, down, *words)


def _opening(turns: Turns, piece: Int64, first: Bool, total: int) -> tuple[Int64, Int64]:
    """What each piece begins with: see Pieces."""
    rows = np.flatnonzero(first)
    following = np.minimum(rows + 1, len(piece) - 1)
    answered = (piece[following] == piece[rows]) & ~turns.client[following]
    asks, answers = np.zeros(total, dtype=np.int64), np.zeros(total, dtype=np.int64)
    asks[piece[rows]] = np.where(turns.client[rows], turns.size[rows], 0)
    answer = np.where(answered, turns.size[following], 0)
    answers[piece[rows]] = np.where(turns.client[rows], answer, turns.size[rows])
    return asks, answers


def _turned(by_client: Bool, opens: Bool, tcp: Bool, ports: tuple[Int64, Int64]) -> Bool:
    """Whether a reader takes the conversation's server for the client: by who speaks first, unless ports tell."""
    client, server = ports
    source, target = np.where(by_client, client, server), np.where(by_client, server, client)
    serving = (source < SERVICE) & (target >= SERVICE)
    serving |= tcp & (source < EPHEMERAL) & (target >= EPHEMERAL)
    serving |= ~tcp & np.isin(source, DISCOVERY) & (target >= EPHEMERAL)
    turned: Bool = ~opens & (by_client == serving)
    return turned


def _counted(scene: Scene, turns: Turns, piece: Int64, total: int, bare: tuple[Bool, Bool, Bool]) -> list[Int64]:
    """Bytes up and down, packets up and down, of each piece."""
    client, packets = turns.client, turns.packets
    of = turns.conversation
    acks = np.where(scene.lanes.tcp[of], packets // 2 + lone(scene, turns), 0)
    by_side = [np.where(client == side, turns.size, 0) for side in (True, False)]
    by_side += [np.where(client == side, packets, acks) for side in (True, False)]
    sums = [np.bincount(piece, weights=column, minlength=total).astype(np.int64) for column in by_side]
    opens, closes, resets = (flag.astype(np.int64) for flag in bare)
    return [sums[0], sums[1], sums[2] + 2 * (opens + closes) + resets, sums[3] + opens + closes]


def exchanged(said: Seen, pieces: Pieces, piece: Int64, queries: Bool) -> Exchanged:
    """The exchanges of a slice; ``queries`` marks conversations where every question is one (DNS over UDP)."""
    whole = said.turns
    heard = np.where(pieces.nth[piece] > 0, whole.size > 0, spoken_by_apps(whole))
    kept = np.flatnonzero(heard)
    turns = taken(whole, kept)
    of = piece[kept]
    up = turns.client != pieces.turned[of]
    begins = np.ones(len(of), dtype=np.bool_)
    turn = up[1:] != up[:-1]
    begins[1:] = (of[1:] != of[:-1]) | (up[1:] & (turn | queries[turns.conversation[1:]]))
    begins[1:] |= ~turn & (turns.begin[1:] - turns.end[:-1] > EXCHANGE_IDLE_US)
    starts = np.flatnonzero(begins)
    if not len(starts):
        return Exchanged(*(np.zeros(0, dtype=np.int64) for _ in fields(Exchanged)))
    stops = np.append(starts[1:], len(of))
    down_at = np.append(np.flatnonzero(~up), len(up))
    first = down_at[np.searchsorted(down_at, starts)]

    def total(values: Any, side: Bool) -> Int64:
        sums: Int64 = np.add.reduceat(np.where(side, values, 0), starts, dtype=np.int64)
        return sums

    return Exchanged(
        piece=of[starts],
        start=turns.begin[starts],
        end=np.maximum.reduceat(turns.end, starts),
        bytes_up=total(turns.size, up),
        bytes_down=total(turns.size, ~up),
        packets_up=total(turns.packets, up),
        packets_down=total(turns.packets, ~up),
        first_down=np.where(first < stops, turns.begin[np.minimum(first, len(up) - 1)], -1),
    )
