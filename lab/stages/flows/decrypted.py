"""The table http: the requests that an inspecting proxy on the gateway would list, of turns and scripts.

It reads HTTP/1.1 alone, up to a change of protocol, as lab/stages/requests.py has it of messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lab.protocols.http2 import PREFACE
from lab.stages.flows.classes import Class
from lab.stages.flows.parts import SETTING_UP, SHAKING, Turns
from lab.stages.flows.probes import UPWARD, Script
from lab.stages.flows.reading import replaced, shown, words
from lab.stages.flows.tables import Sides, table
from lab.stages.flows.ways import Ways
from lab.stages.flows.words import first_words, opening
from lab.stages.streams import Stream, streams
from lab.stages.texts import coded, taken
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]

NOTHING, EACH, SET_UP, WHOLE = range(4)  # what of a conversation is a request: no part, each exchange, the set-up, all
_FILLER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" * 80
_LONGEST_TARGET, _CHUNK = 4_096, 1 << 15  # bytes; paths made at a time, since they are long
_SIZES = (0, 300, 8_192)  # of requests and answers that differ in more than length
_REQUEST, _STATUS = re.compile(rb"([A-Z]{3,10}) (\S+) HTTP/1\.[01]\r\n"), re.compile(rb"HTTP/1\.[01] (\d{3})")
_SWITCHED = b"HTTP/1.1 101"


@dataclass(frozen=True)
class Asked:
    """One row per request: ``row`` of the conversation, ``up`` asked for, and what was measured."""

    row: Int64
    up: Int64
    down: Int64
    time: Int64
    end: Int64
    bytes_up: Int64
    bytes_down: Int64


@dataclass(frozen=True)
class _Head:
    """What a request and its answer say; ``bare`` is the request's size without a query."""

    method: str
    path: str
    host: str | None
    user_agent: str | None
    status: int | None
    bare: int


def manner(script: Script) -> int:
    """Which parts of a script's conversations are HTTP requests."""
    turns = script.setup or script.exchanges[UPWARD][0][1]
    if script.udp or not turns or not turns[0].from_client:
        return NOTHING
    if turns[0].head.startswith(PREFACE):
        return WHOLE if ("stream", "1") in script.kind.options else EACH
    if not _REQUEST.match(turns[0].head):
        return NOTHING
    if not script.setup:
        return EACH
    return SET_UP if any(turn.head.startswith(_SWITCHED) for turn in script.setup) else WHOLE


def asked(turns: Turns, how: Int64, rows: Int64, sizes: tuple[Int64, Int64]) -> Asked:
    """The requests among turns; ``how`` by conversation, ``sizes`` asked for by exchange."""
    way = how[turns.conversation]
    mine = (way == WHOLE) | ((way == EACH) & (turns.exchange >= 0)) | ((way == SET_UP) & (turns.exchange == SETTING_UP))
    kept = np.flatnonzero(mine & (turns.plain > 0) & (turns.exchange != SHAKING))
    of = turns.conversation[kept]
    number = np.where(way[kept] == EACH, turns.exchange[kept], -1)
    begins = np.ones(len(kept), dtype=np.bool_)
    begins[1:] = (of[1:] != of[:-1]) | (number[1:] != number[:-1])
    starts = np.flatnonzero(begins)
    if not len(starts):
        return Asked(*(np.zeros(0, dtype=np.int64) for _ in range(7)))
    plain, client = turns.plain[kept], turns.client[kept]
    first = number[starts]
    up, down = (np.append(column, 0)[np.where(first < 0, len(column), first)] for column in sizes)
    return Asked(
        row=rows[of[starts]],
        up=up,
        down=down,
        time=turns.begin[kept][starts],
        end=np.maximum.reduceat(turns.end[kept], starts),
        bytes_up=np.add.reduceat(np.where(client, plain, 0), starts),
        bytes_down=np.add.reduceat(np.where(client, 0, plain), starts),
    )


def http_table(timeline: Timeline, ways: Ways, sides: Sides, found: Asked) -> pa.Table:
    """The requests, by time."""
    found = Asked(*(column[np.lexsort((found.row, found.time))] for column in vars(found).values()))
    said, row = timeline.conversations, found.row
    device = np.array([app.device for app in timeline.apps], dtype=np.int64)
    columns: dict[str, Any] = {
        "device": taken([one.name for one in timeline.devices], device[said.app[row]]),
        "client": taken(sides.texts, sides.client[row]),
        "client_port": sides.client_port[row],
        "server": taken(sides.texts, sides.server[row]),
        "server_port": sides.server_port[row],
        **{name: getattr(found, name) for name in ("time", "end", "bytes_up", "bytes_down")},
    }
    return table("http", columns | _heads(timeline, ways, found))


def _heads(timeline: Timeline, ways: Ways, found: Asked) -> dict[str, Any]:
    """What the requests say, worked out once for each speech, host, app and kind of sizes."""
    said = timeline.conversations
    sizes = [np.select([column == 0, column <= _LONGEST_TARGET], [0, 1], 2) for column in (found.up, found.down)]
    parts = (said.speech, said.host, said.app, ways.script, ways.flight + 1)
    key, first = coded([*(part[found.row] for part in parts), *sizes])
    rows = [_head(timeline, ways, found, at, (int(sizes[0][at]), int(sizes[1][at]))) for at in first.tolist()]
    columns = {name: taken([getattr(one, name) for one in rows], key) for name in ("host", "method", "user_agent")}
    columns["status"] = taken([one.status for one in rows], key, pa.int32())
    columns["sni"] = taken([_sni(timeline, ways, int(found.row[at])) for at in first.tolist()], key)
    return columns | {"path": _paths(rows, key, found)}


def _sni(timeline: Timeline, ways: Ways, row: int) -> str | None:
    flight = int(ways.flight[row])
    if flight < 0:
        return None
    return shown(timeline, ways, row) if ways.flights[flight].read.sni else None


def _head(timeline: Timeline, ways: Ways, found: Asked, at: int, sizes: tuple[int, int]) -> _Head:
    """The request of one row, in the words of its own host, agent and options."""
    row = int(found.row[at])
    script = ways.scripts[int(ways.script[row])]
    read = _read(script.kind, *sizes)
    names = words(timeline, script.kind, row)
    turn = (script.setup or script.exchanges[UPWARD][0][1])[0]
    bare = read.bare + int(ways.longer[row] @ np.array(turn.texts))
    path, host, agent = (replaced(text, names) for text in (read.path, read.host, read.user_agent))
    return _Head(read.method, path, host, agent, read.status, bare)


@lru_cache(maxsize=4096)
def _read(kind: Class, up: int, down: int) -> _Head:
    """What the first request of a class says, for rough sizes."""
    words = first_words(kind, _SIZES[up], _SIZES[down])
    if words[0].data.startswith(PREFACE):
        return _read_stream(streams(words)[0])
    said, heard = opening(kind, _SIZES[up], _SIZES[down])
    match, status = _REQUEST.match(said), _STATUS.match(heard)
    assert match is not None
    path = match[2].decode("ascii", "replace")
    query = len(path) - len(path.partition("?q=")[0])
    bare = said.index(b"\r\n\r\n") + 4 - query
    texts = {name: _header(said, name) for name in (b"host", b"user-agent")}
    code = int(status[1]) if status else None
    return _Head(match[1].decode(), path, texts[b"host"], texts[b"user-agent"], code, bare)


def _read_stream(stream: Stream) -> _Head:
    asked, path = stream.asked, stream.asked.get(":path", "")
    query = len(path) - len(path.partition("?q=")[0])
    code = int(stream.answered[":status"]) if ":status" in stream.answered else None
    return _Head(asked[":method"], path, asked.get(":authority"), asked.get("user-agent"), code, stream.up - query)


def _header(data: bytes, name: bytes) -> str | None:
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", data.partition(b"\r\n\r\n")[0], re.IGNORECASE)
    return found[1].decode("utf-8", "replace").strip() if found else None


def _paths(rows: list[_Head], key: Int64, found: Asked) -> pa.ChunkedArray:
    """The paths; a query is as long as makes the request as long as asked."""
    plain = [one.path.partition("?q=")[0] for one in rows]
    sized = np.array(["?q=" in one.path for one in rows], dtype=np.bool_)[key] if rows else np.zeros(0, dtype=np.bool_)
    shorter = np.array([one.bare for one in rows], dtype=np.int64)[key] if rows else np.zeros(0, dtype=np.int64)
    spare = np.where(sized, np.maximum(found.bytes_up - shorter - 3, 1), 0)
    sizes, place = np.unique(np.minimum(spare, len(_FILLER)), return_inverse=True)
    queries = ["?q=" + _FILLER[:size] if size else "" for size in sizes.tolist()]
    parts = [slice(at, at + _CHUNK) for at in range(0, len(key), _CHUNK)]
    made = (pc.binary_join_element_wise(taken(plain, key[one]), taken(queries, place[one]), "") for one in parts)
    return pa.chunked_array(made, pa.string())
