"""A batch in the making: behaviours open conversations and say exchanges here, and get the arrays at the end.

It trims at the end of the span and sorts; it draws nothing and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lab.behaviours import Batch, Int64, Peer, Speech
from lab.longflow import Words

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

    def peer(self, reach: str) -> int:
        """The index of a new peer, distinct from those before."""
        self.peers.append(Peer(reach))
        return len(self.peers) - 1

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
        head: list[Numbers] = [start, start + _wide(delay, n) + _wide(linger, n), speech, peer, 0, -1]
        self._add(np.stack([_wide(part, n) for part in head]), [np.arange(n), start, up, down, delay])

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
        end = max(int(np.max(time + _wide(delay, n))) + linger, close)
        head = np.array(
            [[time[0] if start is None else start], [end], [speech], [peer], [inbound], [stack]], dtype=np.int64
        )
        self._add(head, [0, time, up, down, delay])

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
        end = np.maximum(end + _wide(linger, n), _wide(close, n))
        head: list[Numbers] = [start, end, speech, peer, inbound, stack]
        self._add(np.stack([_wide(part, n) for part in head]), [of, words.time, words.up, words.down, words.delay])

    def _add(self, head: Int64, rows: list[Numbers]) -> None:
        n = len(np.atleast_1d(np.asarray(rows[1])))
        table = np.stack([_wide(part, n) for part in rows])
        table[0] += self._count
        self._heads.append(head)
        self._rows.append(table)
        self._count += head.shape[1]

    def batch(self) -> Batch:
        """The arrays: exchanges answered after the span are dropped, and conversations that never spoke with them."""
        heads = np.concatenate(self._heads, axis=1) if self._heads else np.zeros((6, 0), dtype=np.int64)
        rows = np.concatenate(self._rows, axis=1) if self._rows else np.zeros((5, 0), dtype=np.int64)
        rows = rows[:, rows[1] + rows[4] < self.span]
        rows = rows[:, np.lexsort((rows[1], rows[0]))]
        kept = np.unique(rows[0])
        conversation = np.searchsorted(kept, rows[0]).astype(np.int64)
        start, close, speech, peer, inbound, stack = heads[:, kept]
        last = np.zeros(len(kept), dtype=np.int64)
        np.maximum.at(last, conversation, rows[1] + rows[4])
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
            x_conversation=conversation,
            x_time=rows[1],
            x_up=rows[2],
            x_down=rows[3],
            x_delay=rows[4],
            listen=listen,
        )


def _wide(value: Numbers, count: int) -> Int64:
    wide = np.asarray(value, dtype=np.int64)
    if wide.ndim == 0:
        return np.full(count, wide)  # a fifth of the time of broadcast_to
    return wide if wide.shape == (count,) else np.broadcast_to(wide, (count,))
