"""A mail app: it waits in IMAP IDLE for new mail, fetches what comes, and searches and reads while it is open.

Law: IDLE is ended and issued again at least every 29 minutes (RFC 2177 section 3); mail is a Poisson process; the
conversation breaks, with the network at the latest, and is dialled again. Sizes are those of the commands and answers
of RFC 9051, bodies log-normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.longflow import Words, together, words
from lab.habits.reconnect import connections

EXISTS = 16  # "* 23 EXISTS"
FETCH = 95  # DONE, FETCH and a new IDLE
RENEWAL = (18, 40)  # DONE and a new IDLE, both answered
APART = 4 * SECOND  # between two commands of the app; closer ones are one


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
        for begin, end in connections(rng, self.lifetime, window).tolist():
            spoken = self._session(rng, mails, reads, (begin, end))
            draft.talk(
                speech, peer, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, start=begin, close=end
            )
        return draft.batch()

    def _session(self, rng: np.random.Generator, mails: Int64, reads: Int64, during: tuple[int, int]) -> Words:
        begin, end = during
        here = [times[(times > begin + 5 * SECOND) & (times < end - 5 * SECOND)] for times in (mails, reads)]
        fetched = np.sort(np.concatenate(here))
        fetched = fetched[np.diff(fetched, prepend=begin) > APART]
        arrived = np.intersect1d(here[0], fetched)
        busy = np.unique(np.append(fetched, begin))
        renewed = self._renewals(busy, end)
        size = np.maximum(self.mail * rng.lognormal(0.0, 1.0, len(fetched)), 400).astype(np.int64)
        return together(
            words(arrived - SECOND // 3, 0, EXISTS),
            words(fetched, FETCH, size, thinking(rng, len(fetched))),
            words(renewed, *RENEWAL, 20_000),
        )

    def _renewals(self, busy: Int64, end: int) -> Int64:
        """When IDLE is renewed: every ``reissue`` after the last command, until the next one or the end."""
        every = int(self.reissue * SECOND)
        counts = (np.append(busy[1:], end) - busy - 5 * SECOND) // every
        counts = np.maximum(counts, 0)
        owner = np.repeat(np.arange(len(busy)), counts)
        firsts = np.cumsum(counts) - counts
        nth = np.arange(len(owner)) - firsts[owner] + 1
        renewed: Int64 = busy[owner] + nth * every
        return renewed
