"""A batch in the making: behaviours open conversations and say exchanges here, and get the arrays at the end.

It trims at the end of the span, sorts, and lets nobody resume a TLS session with a host that has given no ticket yet
(RFC 8446 section 2.2); it draws nothing and decides nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lab.behaviours import Batch, Int64, Peer, Speech
from lab.habits.longflow import Words

Numbers = npt.ArrayLike
METHODS = ("auto", "GET", "POST")


@dataclass
class Draft:
    """Conversations so far; ``span`` is where the scenario ends, in microseconds."""

    span: int
    speeches: list[Speech] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    listen: list[tuple[int, int, int]] = field(default_factory=list)
    _heads: list[Int64] = field(default_factory=list)  # rows: start, close, speech, peer, inbound, stack
    _rows: list[Int64] = field(default_factory=list)  # rows: conversation, time, up, down, delay
    _count: int = 0

    def speech(self, protocol: str, *, tls: bool = False, port: int = 443, **options: str) -> int:
        """The index of a new way to carry conversations."""
        self.speeches.append(Speech(protocol, tls, port, options))
        return len(self.speeches) - 1

    def web(self, *, tls: bool = True, port: int = 0, method: str = "auto") -> int:
        """The index of HTTP with or without TLS; port 0 is the usual one, method "auto" leaves it to the protocol."""
        options = {} if method == "auto" else {"method": method}
        return self.speech("http", tls=tls, port=port or (443 if tls else 80), **options)

    def peer(self, reach: str, made: str = "", *, passing: bool = False) -> int:
        """The index of a new peer, distinct from those before; ``made``: of a name that the app makes up itself."""
        self.peers.append(Peer(reach, made, passing=passing))
        return len(self.peers) - 1

    def seek(self, reach: str, labels: Sequence[str], time: Int64) -> None:
        """Asks for names that nobody has, a label of that reach at each time."""
        known = dict.fromkeys(labels)
        first = len(self.peers)
        self.peers += [Peer(reach, label, void=True) for label in known]
        place = {label: first + number for number, label in enumerate(known)}
        peers = np.array([place[label] for label in labels], dtype=np.int64)
        self.calls(self.speech("dns", port=53), peers, time, up=0, down=0, delay=0)

    def calls(
        self,
        speech: Numbers,
        peer: Numbers,
        start: Int64,
        *,
        up: Numbers,
        down: Numbers,
        delay: Numbers,
        linger: Numbers = 0,
    ) -> None:
        """As many conversations as starts, one exchange each, said at once; closed ``linger`` after the answer."""
        n = len(start)
        end = start + np.asarray(delay, dtype=np.int64) + np.asarray(linger, dtype=np.int64)
        self._add(_table([start, end, speech, peer, 0, -1], n), [np.arange(n), start, up, down, delay], n)

    def talk(
        self,
        speech: int,
        peer: int,
        time: Int64,
        *,
        up: Numbers,
        down: Numbers,
        delay: Numbers,
        linger: int = 0,
        inbound: bool = False,
        stack: int = -1,
        start: int | None = None,
        close: int = 0,
    ) -> None:
        """One conversation of several exchanges, opened at ``start`` or the first; closed ``linger`` after the last.

        With ``close`` it stays open until then, if that is later.
        """
        n = len(time)
        if n == 0:
            return
        end = max(int((time + np.asarray(delay, dtype=np.int64)).max()) + linger, close)
        head = np.array(
            [[time[0] if start is None else start], [end], [speech], [peer], [inbound], [stack]], dtype=np.int64
        )
        self._add(head, [0, time, up, down, delay], n)

    def talks(
        self,
        speech: Numbers,
        peer: Numbers,
        start: Int64,
        said: tuple[Int64, Words],
        *,
        linger: Numbers = 0,
        close: Numbers = 0,
        inbound: bool = False,
        stack: Numbers = -1,
    ) -> None:
        """As many conversations as starts; ``said``: to which of them each word belongs, and the words, in any order.

        Closed ``linger`` after their last answer, or at ``close`` if that is later; one without words is dropped.
        """
        of, words = said
        n = len(start)
        end = start.copy()
        np.maximum.at(end, of, words.time + words.delay)
        end = np.maximum(end + np.asarray(linger, dtype=np.int64), close)
        rows: list[Numbers] = [of, words.time, words.up, words.down, words.delay]
        self._add(_table([start, end, speech, peer, inbound, stack], n), rows, len(words.time))

    def _add(self, head: Int64, rows: list[Numbers], count: int) -> None:
        table = _table(rows, count)
        table[0] += self._count
        self._heads.append(head)
        self._rows.append(table)
        self._count += head.shape[1]

    def batch(self) -> Batch:
        """The arrays: exchanges answered after the span are dropped, and conversations that never spoke with them."""
        heads, rows = _beside(self._heads, 6), _beside(self._rows, 5)
        answered = rows[1] + rows[4]
        if (late := answered >= self.span).any():
            rows, answered = rows[:, ~late], answered[~late]
        if len(self._rows) > 1 or not _ordered(rows):
            order = np.lexsort((rows[1], rows[0]))
            rows, answered = rows[:, order], answered[order]
        # conversations follow each other in rows: where each begins, and which they are
        new = np.ones(len(answered), dtype=np.bool_)
        np.not_equal(rows[0, 1:], rows[0, :-1], out=new[1:])
        first = np.flatnonzero(new)
        start, close, speech, peer, inbound, stack = heads[:, rows[0, first]]
        last = np.maximum.reduceat(answered, first) if len(first) else answered
        speech = self._ticketed(speech, peer, start)
        listen = tuple((at, min(until, self.span), port) for at, until, port in self.listen if at < self.span)
        return Batch(
            speeches=tuple(self.speeches),
            peers=tuple(self.peers),
            start=start,
            close=np.maximum(np.minimum(close, self.span - 1), last),
            speech=speech.astype(np.int32),
            peer=peer.astype(np.int32),
            inbound=inbound.astype(np.bool_),
            stack=stack.astype(np.int32),
            x_conversation=np.cumsum(new) - 1,
            x_time=rows[1],
            x_up=rows[2],
            x_down=rows[3],
            x_delay=rows[4],
            listen=listen,
        )

    def _ticketed(self, speech: Int64, peer: Int64, start: Int64) -> Int64:
        """(n,) how each conversation is spoken: the first with each peer afresh, as that has given no ticket yet."""
        resuming = {number for number, one in enumerate(self.speeches) if "resume" in one.options}
        if not resuming:
            return speech
        order = np.argsort(start, kind="stable")
        firsts = order[np.unique(peer[order], return_index=True)[1]]
        plain = {number: self._afresh(number) for number in sorted(resuming & set(speech[firsts].tolist()))}
        found = speech.copy()
        found[firsts] = [plain.get(number, number) for number in speech[firsts].tolist()]
        return found

    def _afresh(self, speech: int) -> int:
        """The same way of speaking without resumption."""
        known = self.speeches[speech]
        options = {name: value for name, value in known.options.items() if name != "resume"}
        return self.speech(known.protocol, tls=known.tls, port=known.port, **options)


def _table(rows: list[Numbers], count: int) -> Int64:
    """(len(rows), count) rows, each a number or as many as ``count``."""
    table = np.empty((len(rows), count), dtype=np.int64)
    for place, row in enumerate(rows):
        table[place] = row
    return table


def _beside(tables: list[Int64], height: int) -> Int64:
    if not tables:
        return np.zeros((height, 0), dtype=np.int64)
    return tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)


def _ordered(rows: Int64) -> bool:
    """Whether the rows ascend by conversation, and by time within each."""
    one, other = rows[0, :-1], rows[0, 1:]
    return bool(((one < other) | ((one == other) & (rows[1, :-1] <= rows[1, 1:]))).all())
