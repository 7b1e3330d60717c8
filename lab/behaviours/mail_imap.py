"""A mail app: it waits in IMAP IDLE for new mail, fetches what comes, and searches and reads while it is open.

Law: IDLE is ended and issued again at least every 29 minutes (RFC 2177 section 3); mail is a Poisson process; the
conversation breaks, with the network at the latest, and is dialled again. Sizes are those of the commands and answers
of RFC 9051, bodies log-normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import THOUGHT_SIGMA, THOUGHT_US, poisson, whole
from lab.habits.draft import Draft
from lab.habits.longflow import Words, words
from lab.habits.ragged import joined, positions
from lab.habits.reconnect import connections

EXISTS = 16  # "* 23 EXISTS"
FETCH = 95  # DONE, FETCH and a new IDLE
RENEWAL = (18, 40)  # DONE and a new IDLE, both answered
APART = 4 * SECOND  # between two commands of the app; closer ones are one
EDGE = 5 * SECOND  # of a conversation, in which nothing is fetched


@dataclass(frozen=True)
class Behaviour:
    """Settings of mail-imap."""

    tls: bool = setting(True)
    port: int = setting(993, minimum=1, maximum=65_535)
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    reissue: float = setting(1_500.0, unit="s", minimum=60, maximum=1_740, source="RFC 2177: at most 29 min")
    lifetime: float = setting(6 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    mails_per_hour: float = setting(2.0, minimum=0, maximum=600)
    mail: int = setting(9_000, unit="B", minimum=200, maximum=10_000_000)
    reads_per_hour: float = setting(60.0, minimum=0, maximum=3_600, source="while the app is open")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial: IDLE, and what interrupts it; log-in and SELECT are the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("imap", tls=self.tls, port=self.port)
        peer = draft.peer(self.reach)
        mails = poisson(rng, self.mails_per_hour, whole(window.span))
        reads = poisson(rng, self.reads_per_hour, window.foreground)
        dialled = connections(rng, self.lifetime, window)
        said = self._said(rng, mails, reads, dialled)
        draft.talks(speech, peer, dialled[:, 0], said, close=dialled[:, 1])
        return draft.batch()

    def _said(self, rng: np.random.Generator, mails: Int64, reads: Int64, dialled: Int64) -> tuple[Int64, Words]:
        """What is said in the conversations (k, 2) [begin, end): to which of them each word belongs, and the words."""
        of, fetched = _fetches(mails, reads, dialled)
        size, thought = self._answers(rng, np.bincount(of, minlength=len(dialled)))
        whose, renewed = self._renewals(of, fetched, dialled)
        news = np.isin(fetched, mails)
        return joined(
            (of[news], words(fetched[news] - SECOND // 3, 0, EXISTS)),
            (of, words(fetched, FETCH, size, thought)),
            (whose, words(renewed, *RENEWAL, 20_000)),
        )

    def _answers(self, rng: np.random.Generator, counts: Int64) -> tuple[Int64, Int64]:
        """Sizes of mails, and how long their server thinks: drawn for one conversation after the other, as counted."""
        thinks = np.repeat(np.tile([False, True], len(counts)), np.repeat(counts, 2))
        drawn = rng.lognormal(np.where(thinks, np.log(THOUGHT_US), 0.0), np.where(thinks, THOUGHT_SIGMA, 1.0))
        return np.maximum(self.mail * drawn[~thinks], 400).astype(np.int64), drawn[thinks].astype(np.int64)

    def _renewals(self, of: Int64, fetched: Int64, dialled: Int64) -> tuple[Int64, Int64]:
        """When IDLE is renewed: every ``reissue`` after the last command, until the next one or the end; and where."""
        every = int(self.reissue * SECOND)
        whose = np.concatenate([np.arange(len(dialled)), of])
        order = np.argsort(whose, kind="stable")
        whose, busy = whose[order], np.concatenate([dialled[:, 0], fetched])[order]
        following = np.append(busy[1:], 0)
        last = np.append(whose[1:] != whose[:-1], True)[: len(whose)]
        following[last] = dialled[:, 1]
        counts = np.maximum((following - busy - EDGE) // every, 0)
        owner, nth = positions(counts)
        return whose[owner], busy[owner] + (nth + 1) * every


def _fetches(mails: Int64, reads: Int64, dialled: Int64) -> tuple[Int64, Int64]:
    """What is fetched in the conversations (k, 2), but for the first and last seconds of each: in which, and when."""
    parts = []
    for times in (mails, reads):
        first = np.searchsorted(times, dialled[:, 0] + EDGE, side="right")
        last = np.searchsorted(times, dialled[:, 1] - EDGE, side="left")
        owner, nth = positions(np.maximum(last - first, 0))
        parts.append((owner, times[first[owner] + nth]))
    of, time = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((time, of))
    of, time = of[order], time[order]
    before = np.append(0, time[:-1])[: len(time)]
    first_of_all = np.append(True, of[1:] != of[:-1])[: len(of)]
    before = np.where(first_of_all, dialled[of, 0], before)
    kept = time - before > APART
    return of[kept], time[kept]
