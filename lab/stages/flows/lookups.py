"""The table dns: questions and answers of the resolver and of neighbours, and what they say of other servers' names.

Names that an app made up for a question are made up here too, of the length asked for, from the conversation's seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.contract import SCHEMAS
from lab.behaviours import Speech
from lab.stages.flows.parts import Turns
from lab.stages.flows.pieces import Pieces
from lab.stages.flows.tables import Sides, numbers_of, table
from lab.stages.seeds import mixed
from lab.stages.texts import taken
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]

LABEL, LEAST, LONGEST = 63, 9, 255  # bytes of a label; of a name nobody asked for before; of a name
LARGEST = 1 << 16
_FIXED = 12 + 4 + 11 + 2  # header, type and class, OPT record, the name's first and last length
_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_LETTER_SALT, _TEXT_SALT, _TEXT = 32, 30, 1 << 14
MAX_TEXT = 512  # characters of a text answer that are kept
FRAMED, FRAME = "dns_tcp", 2  # a protocol whose messages stand behind their length, and its bytes: no part of them
RESOLVERS, NEIGHBOURS = frozenset({"dns", "dns_tcp"}), "mdns"  # protocols
_SERVICE = "_googlecast._tcp.local"  # asked for of neighbours where nothing else is
_PTR_FIXED, _INSTANCE = 12 + 2 + 4, 12  # bytes around the only name of a question; letters before it in an answer


def readable(speech: Speech) -> int:
    """The longest question in bytes that a sensor reads in clear; 0: none, as where one asks for several names."""
    if speech.protocol == NEIGHBOURS:
        return _PTR_FIXED + len(_service(speech))
    return LARGEST if speech.protocol in RESOLVERS and not speech.tls and speech.port == 53 else 0


def _service(speech: Speech) -> str:
    return speech.options.get("service", _SERVICE)


@dataclass(frozen=True)
class Asked:
    """One row per look-up: ``row`` of the conversation, its piece, when it was asked and answered (-1: not).

    An answer to what was asked elsewhere, or for several names, is one as well: asked when it came.
    """

    row: Int64
    piece: Int64
    x: Int64  # row of the timeline's exchanges
    time: Int64
    answered: Int64
    bytes_up: Int64
    bytes_down: Int64


def asked(turns: Turns, piece: Int64, clear: Int64, rows: Int64, x_rows: Int64) -> Asked:
    """The look-ups among turns; ``clear`` says of each conversation up to which size its questions can be read."""
    most = clear[turns.conversation]
    kept = np.flatnonzero((most > 0) & (turns.exchange >= 0))
    up = kept[turns.client[kept] & (turns.size[kept] <= most[kept])]
    down = kept[~turns.client[kept]]
    answer = np.full(len(x_rows) + 1, -1, dtype=np.int64)
    answer[turns.exchange[down]] = down
    found = answer[turns.exchange[up]]
    known = np.zeros(len(x_rows) + 1, dtype=np.bool_)
    known[turns.exchange[up]] = True
    alone = down[~known[turns.exchange[down]]]
    first, found = np.concatenate([up, alone]), np.concatenate([found, alone])
    has = found >= 0
    return Asked(
        row=rows[turns.conversation[first]],
        piece=piece[first],
        x=x_rows[turns.exchange[first]],
        time=turns.begin[first],
        answered=np.where(has, turns.begin[found], -1),
        bytes_up=np.where(turns.client[first], turns.size[first], 0),
        bytes_down=np.where(has, turns.size[found], 0),
    )


def dns_table(timeline: Timeline, sides: Sides, pieces: Pieces, found: Asked) -> pa.Table:
    """The look-ups, by time."""
    flow = numbers_of(pieces)[found.piece]
    order = np.lexsort((flow, found.time))
    found = Asked(*(column[order] for column in vars(found).values()))
    said, x = timeline.conversations, timeline.exchanges
    framed = np.array([one.protocol == FRAMED for one in timeline.speeches], dtype=np.bool_)[said.speech[found.row]]
    up, down = x.up[found.x], x.down[found.x]
    inside = np.where(framed & (up > 0), np.maximum(up - FRAME, 1), up)
    near = np.array([speech.protocol == NEIGHBOURS for speech in timeline.speeches], dtype=np.bool_)
    qtype = [
        "PTR" if beside else speech.options.get("qtype", "A").upper()
        for speech, beside in zip(timeline.speeches, near.tolist(), strict=True)
    ]
    speech = said.speech[found.row].astype(np.int64)
    heard = found.answered >= 0
    missing = (up > 0) & (down == 0) & ~near[speech]
    missing |= np.array(["missing" in one.options for one in timeline.speeches], dtype=np.bool_)[speech]
    columns: dict[str, Any] = {
        "flow": flow[order],
        "time": found.time,
        "answered": pa.array(found.answered, mask=~heard),
        "client": taken(sides.texts, sides.client[found.row]),
        "server": taken(sides.texts, sides.server[found.row]),
        "qname": _qnames(timeline, found, np.where(near[speech], 0, inside), near[speech]),
        "qtype": taken(qtype, speech),
        "rcode": pa.array(np.where(missing, 3, 0).astype(np.int32), mask=~heard),
        "answers": _answers(timeline, found, qtype, missing | ~heard),
        "bytes_up": np.maximum(found.bytes_up - FRAME * framed, 0),
        "bytes_down": np.maximum(found.bytes_down - FRAME * framed, 0),
    }
    return table("dns", columns)


def _qnames(timeline: Timeline, found: Asked, up: Int64, near: npt.NDArray[np.bool_]) -> pa.Array:
    """The names asked for; ``up`` > 0: bytes of a question for a name made up; ``near``: for a neighbour's service."""
    hosts = [host.name.lower() for host in timeline.hosts]
    names = hosts + [_service(one).lower() for one in timeline.speeches]
    said = timeline.conversations
    own = np.where(near, len(hosts) + said.speech[found.row], said.host[found.row]).astype(np.int64)
    made = taken(names, own)
    rows = np.flatnonzero(up > 0)
    if not len(rows):
        return made
    zones = [".".join(name.split(".")[-2:]) for name in names]
    sizes = np.array([len(zone) for zone in zones], dtype=np.int64)[own[rows]]
    unique = np.minimum(np.maximum(up[rows] - _FIXED - sizes, LEAST), LONGEST - sizes - 2)
    seeds = _seeds(timeline, found, rows)
    drawn = _letters(seeds, int(unique.max()) if len(unique) else 0)
    texts = [
        f"{_labels(line[:size])}.{zones[host]}"
        for line, size, host in zip(drawn, unique.tolist(), own[rows].tolist(), strict=True)
    ]
    whole = pa.array([*names, *texts], pa.string())
    place = own.copy()
    place[rows] = len(names) + np.arange(len(rows))
    return whole.take(pa.array(place))


def _seeds(timeline: Timeline, found: Asked, rows: Int64) -> Int64:
    """A seed for each look-up: of its conversation and of its place among the exchanges of that."""
    row = found.row[rows]
    place = found.x[rows] - timeline.exchange_slices()[row]
    made: Int64 = (timeline.conversations.seed[row] ^ (place + 1) * 0x9E3779B97F4A7C1) & 0x3FFFFFFFFFFFFFFF
    return made


def _letters(seeds: Int64, width: int) -> list[str]:
    """A line of at least ``width`` letters for each seed."""
    words = [mixed(seeds, _LETTER_SALT + at) for at in range(-(-width // 8))]
    raw = np.stack(words, axis=1).view(np.uint8) if words else np.zeros((len(seeds), 0), dtype=np.uint8)
    data, wide = _LETTERS[raw & 31].tobytes().decode("ascii"), raw.shape[1]
    return [data[at * wide : (at + 1) * wide] for at in range(len(seeds))]


def _labels(letters: str) -> str:
    """Letters for that many bytes of labels, each with its length in front.

    >>> _labels("abcdefghi")
    'bcdefghi'
    """
    parts = [letters[at + 1 : at + 1 + LABEL] for at in range(0, len(letters), LABEL + 1)]
    return ".".join(part for part in parts if part)


def _answers(timeline: Timeline, found: Asked, qtype: list[str], none: npt.NDArray[np.bool_]) -> pa.Array:
    """Addresses as the look-up says, or drawn; texts of TXT and NULL cut as a reader cuts them."""
    speech = timeline.conversations.speech[found.row]
    given = [one.options.get("answer", "") for one in timeline.speeches]
    lists: list[list[str]] = [[text] if text else [] for text in given]
    place = speech.astype(np.int64)
    worded = np.array([one in {"TXT", "NULL"} for one in qtype], dtype=np.bool_)[speech]
    open_ended = [one == "A" and not text for one, text in zip(qtype, given, strict=True)]
    bare = np.array(open_ended, dtype=np.bool_)[speech]
    near = np.array([one == "PTR" for one in qtype], dtype=np.bool_)[speech]
    drawn = np.flatnonzero((worded | bare | near) & ~none)
    if len(drawn):
        letters = _letters(_seeds(timeline, found, drawn), MAX_TEXT)
        room = (found.bytes_down - found.bytes_up).tolist()
        for row, line in zip(drawn.tolist(), letters, strict=True):
            place[row] = len(lists)
            text = line[: max(1, min(MAX_TEXT, room[row] - 13))] if worded[row] else _address(line)
            lists.append([f"{line[:_INSTANCE]}.{_service(timeline.speeches[speech[row]])}" if near[row] else text])
    lists.append([])
    place[none] = len(lists) - 1
    return pa.array(lists, SCHEMAS["dns"].field("answers").type).take(pa.array(place))


def _address(line: str) -> str:
    number = sum(ord(letter) * 31**at for at, letter in enumerate(line[:6])) % (1 << 17)
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
