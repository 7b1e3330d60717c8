"""What a sensor reads in the first bytes of each flow: protocol, names, fingerprint, relay request.

Read once for each way of opening, host and app, with the reader of captures itself; names of ours become theirs.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.capture.names import Names, identify
from lab.stages.flows.classes import Class
from lab.stages.flows.pieces import Pieces
from lab.stages.flows.ways import Ways
from lab.stages.flows.words import later_words, opening
from lab.stages.texts import coded
from lab.timeline import Timeline

Int64 = npt.NDArray[np.int64]

COLUMNS = tuple(field.name for field in fields(Names))
_EXACT, _LONG, _LONGER = 256, 300, 8_192  # sizes of first exchanges that are told apart


def openings(timeline: Timeline, ways: Ways) -> Int64:
    """(n,) what each conversation's first exchange is like: an index for ``read_names``, up and down in one number."""
    x = timeline.exchanges
    first = np.ones(len(x.time), dtype=np.bool_)
    first[1:] = x.conversation[1:] != x.conversation[:-1]
    sizes = np.zeros((2, len(timeline.conversations.start)), dtype=np.int64)
    for place, asked in enumerate((x.up, x.down)):
        sizes[place, x.conversation[first]] = asked[first]
    udp = np.array([one.udp and one.kind.protocol != "dns" for one in ways.scripts], dtype=np.bool_)[ways.script]
    rough = np.select([sizes == 0, sizes <= 4_096], [0, _LONG], _LONGER)
    told = np.where(udp & (sizes <= _EXACT), sizes, rough)
    code: Int64 = told[0] << 16 | told[1]
    return code


@lru_cache(maxsize=8192)
def _read(kind: Class, code: int, proto: str) -> Names:
    return identify(proto, 40_000, kind.port, *opening(kind, code >> 16, code & 0xFFFF))


def read_names(timeline: Timeline, ways: Ways, code: Int64) -> tuple[list[Names], Int64]:
    """The distinct names, and for every conversation which it has."""
    said = timeline.conversations
    columns = (ways.script, said.speech, said.host, said.app, ways.flight + 1, said.inbound, code)
    key, first = coded(columns)
    return [_named(timeline, ways, row, int(code[row])) for row in first.tolist()], key


def later_names(ways: Ways, pieces: Pieces) -> tuple[list[Names], Int64]:
    """What a sensor reads where conversations go on after a long silence, and which of it each piece has; -1: first."""
    rows = np.flatnonzero(pieces.nth > 0)
    of, which = pieces.conversation[rows], np.full(len(pieces.nth), -1, dtype=np.int64)
    udp = np.array([one.udp for one in ways.scripts], dtype=np.bool_)[ways.script[of]]
    words = np.where(udp, np.minimum(np.stack([pieces.asks[rows], pieces.answers[rows]]), _LONG), 0)
    which[rows], first = coded((ways.script[of], ways.flight[of] >= 0, words[0], words[1]))
    found = []
    for row in first.tolist():
        kind, tls = ways.scripts[int(ways.script[of[row]])].kind, bool(ways.flight[of[row]] >= 0)
        found.append(
            _goes_on(kind, int(words[0, row]), int(words[1, row])) if udp[row] else Names("tls" if tls else None)
        )
    return found, which


@lru_cache(maxsize=8192)
def _goes_on(kind: Class, up: int, down: int) -> Names:
    return Names(identify("udp", 40_000, kind.port, *later_words(kind, up, down)).app_proto)


def _named(timeline: Timeline, ways: Ways, row: int, code: int) -> Names:
    flight = int(ways.flight[row])
    if flight >= 0:
        read = ways.flights[flight].read
        return replace(read, sni=shown(timeline, ways, row).lower()) if read.sni else read
    script = ways.scripts[int(ways.script[row])]
    read = _read(script.kind, code, "udp" if script.udp else "tcp")
    texts = words(timeline, script.kind, row)
    made = {name: replaced(getattr(read, name), texts) for name in _spelled(read, tuple(texts))}
    return replace(read, **made) if made else read


@lru_cache(maxsize=8192)
def _spelled(read: Names, ours: tuple[str, ...]) -> tuple[str, ...]:
    """The columns in which any of our names stands."""
    texts = ((name, getattr(read, name)) for name in COLUMNS)
    return tuple(name for name, text in texts if isinstance(text, str) and any(one in text for one in ours))


def shown(timeline: Timeline, ways: Ways, row: int) -> str:
    """The name in clear in a conversation's hello."""
    said = timeline.conversations
    name = ways.shown[int(said.speech[row])]
    return timeline.hosts[int(said.host[row])].name if name is None else name


def words(timeline: Timeline, kind: Class, row: int) -> dict[str, str]:
    """What stands in a conversation for the names of ours in its class."""
    said = timeline.conversations
    peer, owner = timeline.hosts[int(said.host[row])], timeline.apps[int(said.app[row])]
    name = timeline.devices[owner.device].address if said.inbound[row] else peer.name or peer.address
    options = timeline.speeches[int(said.speech[row])].options
    texts = {made: options[key] for key, made in kind.options if made != options[key]}
    return {kind.host: name, kind.agent: owner.agent} | texts


def replaced(value: Any, texts: dict[str, str]) -> Any:
    """A text with our names replaced, anything else as it is."""
    if isinstance(value, str):
        for ours, theirs in texts.items():
            value = value.replace(ours, theirs)
    return value
