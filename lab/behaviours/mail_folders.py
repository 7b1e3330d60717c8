"""A mail app without push: every so often it looks into several folders, fetches what came, and saves drafts.

Law: looks at the pace of lab/habits/pace.py, each a new IMAP connection (RFC 9051) that asks folder after folder; while
the owner writes, the draft so far is appended every ``save`` (mail apps save about once a minute: from memory).
STARTTLS on port 143 where TLS is off and ``starttls`` is on (RFC 9051 section 11.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.clock import poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pace import Pace, moments, paced
from lab.habits.ragged import joined, positions

NOTHING = (20, 30)  # NOOP and its answer
SMALLEST = 200  # bytes of a mail
STORED = 60  # the answer to APPEND


@dataclass(frozen=True)
class Behaviour:
    """Settings of mail-folders."""

    tls: bool = setting(True)
    starttls: bool = setting(False, source="without TLS from the beginning")
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 993 with TLS (RFC 8314), 143 without")
    reach: str = setting("vendor", choices=REACHES)
    period: float = paced("period", 900.0)
    jitter: float = paced("jitter", 0.1)
    law: str = paced("law", "phase")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut", "skip")
    wake: str = paced("wake")
    ration: float = paced("ration")
    folders: int = setting(3, minimum=1, maximum=50)
    mails_per_hour: float = setting(2.0, minimum=0, maximum=600)
    mail: int = setting(6_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median, log-normal")
    written_per_hour: float = setting(6.0, minimum=0, maximum=600, source="mails begun, while the app is open")
    save: float = setting(60.0, unit="s", minimum=5, maximum=3_600, source="between two saves of a draft")
    draft: int = setting(2_500, unit="B", minimum=SMALLEST, maximum=10_000_000, source="a finished one; median")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per look and per draft; log-in and SELECT are the protocol's own."""
        draft = Draft(window.span)
        options = {"starttls": "1"} if self.starttls and not self.tls else {}
        port = self.port or (993 if self.tls else 143)
        speech, peer = draft.speech("imap", tls=self.tls, port=port, idle="no", **options), draft.peer(self.reach)
        looks = moments(rng, Pace.of(self), window).time
        n = len(looks)
        of, nth = positions(np.full(n, self.folders))
        asked = words(looks[of] + SECOND // 2 + nth * (SECOND // 4), *NOTHING, thinking(rng, len(of)))
        came = np.sort(np.concatenate([poisson(rng, self.mails_per_hour, np.array([[0, window.span]]))]))
        fetched, which = positions(np.diff(np.searchsorted(came, looks), prepend=0).astype(np.int64))
        last = looks[fetched] + SECOND + self.folders * (SECOND // 4)
        mails = np.maximum(self.mail * rng.lognormal(0.0, 0.8, len(fetched)), SMALLEST).astype(np.int64)
        brought = words(last + which * (SECOND // 3), 60, mails, thinking(rng, len(fetched)))
        draft.talks(speech, peer, looks, joined((of, asked), (fetched, brought)), linger=SECOND // 2)
        self._saved(rng, draft, (speech, peer), window.foreground)
        return draft.batch()

    def _saved(self, rng: np.random.Generator, draft: Draft, line: tuple[int, int], foreground: Int64) -> None:
        """Drafts that grow with every save, until they are sent or given up; a connection for each draft."""
        begun = poisson(rng, self.written_per_hour, foreground)
        counts = rng.geometric(0.5, len(begun)).astype(np.int64)
        of, nth = positions(counts)
        time = begun[of] + ((nth + 1) * self.save * SECOND).astype(np.int64)
        whole = np.maximum(self.draft * rng.lognormal(0.0, 0.7, len(begun)), SMALLEST)
        sizes = np.maximum(whole[of] * (nth + 1) / counts[of], SMALLEST).astype(np.int64)
        first = begun + int(self.save * SECOND) - SECOND // 2
        draft.talks(*line, first, (of, words(time, sizes, STORED, thinking(rng, len(of)))), linger=2 * SECOND)
