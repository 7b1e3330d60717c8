"""An app that looks into a mailbox every so often: it logs in, reads what is new, stores a draft, and leaves.

Law: a mail app without push fetches at the interval its owner chose, each time over a new IMAP connection (RFC 9051),
because few servers keep an idle one for longer than half an hour; an agent that is commanded through drafts does the
same. Most looks find nothing. Times renew themselves or keep their phase with a flex, as an alarm's, gated as
lab/habits/pace.py says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pace import Pace, moments, paced
from lab.habits.ragged import joined

NOTHING = (20, 30)  # NOOP and its answer
SMALLEST = 200  # bytes of a mail


@dataclass(frozen=True)
class Behaviour:
    """Settings of mail-check."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 993 with TLS (RFC 8314), 143 without")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    period: float = paced("period", 900.0)
    jitter: float = paced("jitter", 0.1)
    law: str = paced("law", "phase")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut")
    wake: str = paced("wake")
    ration: float = paced("ration")
    mail_probability: float = setting(0.15, minimum=0, maximum=1, source="that a look finds one")
    mail: int = setting(6_000, unit="B", minimum=200, maximum=10_000_000, source="median, log-normal")
    draft_probability: float = setting(0.1, minimum=0, maximum=1, source="that what was read leads to a draft")
    draft: int = setting(2_500, unit="B", minimum=200, maximum=10_000_000, source="median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per look; log-in and SELECT are the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("imap", tls=self.tls, port=self.port or (993 if self.tls else 143), idle="no")
        peer = draft.peer(self.reach)
        looks = moments(rng, Pace.of(self), window).time
        n = len(looks)
        asked = looks + SECOND // 2
        found = rng.random(n) < self.mail_probability
        mails = np.maximum(self.mail * rng.lognormal(0.0, 0.8, n), SMALLEST).astype(np.int64)
        stored = found & (rng.random(n) < self.draft_probability)
        later = asked + SECOND // 2 + (rng.uniform(1.0, 8.0, n) * SECOND).astype(np.int64)
        drafts = np.maximum(self.draft * rng.lognormal(0.0, 0.7, n), SMALLEST).astype(np.int64)
        delay, where = thinking(rng, n), np.arange(n)
        said = joined(
            (where, words(asked, *NOTHING, delay)),
            (where[found], words((asked + SECOND // 2)[found], 60, mails[found], delay[found])),
            (where[stored], words(later[stored], drafts[stored], 60, delay[stored])),
        )
        draft.talks(speech, peer, looks, said, linger=SECOND // 2)
        return draft.batch()
