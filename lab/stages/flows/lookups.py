"""The table dns: questions and answers of the resolver, and what they say of the servers of other conversations.

Names that an app made up for a question are made up here too, of the length asked for, from the conversation's seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.contract import SCHEMAS
from lab.stages.flows.parts import Turns
from lab.stages.flows.pieces import Pieces
from lab.stages.flows.tables import Sides, numbers_of, table
from lab.stages.flows.texts import taken
from lab.stages.seeds import mixed
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]

LABEL, LEAST, LONGEST = 63, 9, 255  # bytes of a label; of a name nobody asked for before; of a name
_FIXED = 12 + 4 + 11 + 2  # header, type and class, OPT record, the name's first and last length
_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_LETTER_SALT, _TEXT_SALT, _TEXT = 32, 30, 1 << 14
MAX_TEXT = 512  # characters of a text answer that are kept


@dataclass(frozen=True)
class Asked:
    """One row per look-up: ``row`` of the conversation, its piece, when it was asked and answered (-1: not)."""

    row: Int64
    piece: Int64
    x: Int64  # row of the timeline's exchanges
    time: Int64
    answered: Int64
    bytes_up: Int64
    bytes_down: Int64


def asked(turns: Turns, piece: Int64, spoken: npt.NDArray[np.bool_], rows: Int64, x_rows: Int64) -> Asked:
    """The look-ups among turns; ``spoken`` marks conversations in DNS that can be read."""
    kept = np.flatnonzero(spoken[turns.conversation] & (turns.exchange >= 0))
    up = kept[turns.client[kept]]
    down = kept[~turns.client[kept]]
    answer = np.full(len(x_rows) + 1, -1, dtype=np.int64)
    answer[turns.exchange[down]] = down
    found = answer[turns.exchange[up]]
    has = found >= 0
    return Asked(
        row=rows[turns.conversation[up]],
        piece=piece[up],
        x=x_rows[turns.exchange[up]],
        time=turns.begin[up],
        answered=np.where(has, turns.begin[found], -1),
        bytes_up=turns.size[up],
        bytes_down=np.where(has, turns.size[found], 0),
    )


def dns_table(timeline: Timeline, sides: Sides, pieces: Pieces, found: Asked) -> pa.Table:
    """The look-ups, by time."""
    flow = numbers_of(pieces)[found.piece]
    order = np.lexsort((flow, found.time))
    found = Asked(*(column[order] for column in vars(found).values()))
    said, x = timeline.conversations, timeline.exchanges
    up, down = x.up[found.x], x.down[found.x]
    qtype = [speech.options.get("qtype", "A").upper() for speech in timeline.speeches]
    speech = said.speech[found.row].astype(np.int64)
    heard = found.answered >= 0
    missing = (up > 0) & (down == 0)
    missing |= np.array(["missing" in one.options for one in timeline.speeches], dtype=np.bool_)[speech]
    columns: dict[str, Any] = {
        "flow": flow[order],
        "time": found.time,
        "answered": pa.array(found.answered, mask=~heard),
        "client": taken(sides.texts, sides.client[found.row]),
        "server": taken(sides.texts, sides.server[found.row]),
        "qname": _qnames(timeline, found, up),
        "qtype": taken(qtype, speech),
        "rcode": pa.array(np.where(missing, 3, 0).astype(np.int32), mask=~heard),
        "answers": _answers(timeline, found, qtype, missing | ~heard),
        "bytes_up": found.bytes_up,
        "bytes_down": found.bytes_down,
    }
    return table("dns", columns)


def _qnames(timeline: Timeline, found: Asked, up: Int64) -> pa.Array:
    names = [host.name.lower() for host in timeline.hosts]
    own = timeline.conversations.host[found.row].astype(np.int64)
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
    """A seed for each look-up: of its conversation and of its place in it."""
    seed = timeline.conversations.seed[found.row[rows]]
    made: Int64 = (seed ^ (found.x[rows] - found.x[rows].min() + 1) * 0x9E3779B97F4A7C1) & 0x3FFFFFFFFFFFFFFF
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
    drawn = np.flatnonzero((worded | bare) & ~none)
    if len(drawn):
        letters = _letters(_seeds(timeline, found, drawn), MAX_TEXT)
        room = (found.bytes_down - found.bytes_up).tolist()
        for row, line in zip(drawn.tolist(), letters, strict=True):
            place[row] = len(lists)
            lists.append([line[: max(1, min(MAX_TEXT, room[row] - 13))] if worded[row] else _address(line)])
    lists.append([])
    place[none] = len(lists) - 1
    return pa.array(lists, SCHEMAS["dns"].field("answers").type).take(pa.array(place))


def _address(line: str) -> str:
    number = sum(ord(letter) * 31**at for at, letter in enumerate(line[:6])) % (1 << 17)
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
