"""An app that looks into a mailbox every so often: it logs in, reads what is new, stores a draft, and leaves.

Law: a mail app without push fetches at the interval its owner chose, each time over a new IMAP connection (RFC 9051),
because few servers keep an idle one for longer than half an hour; an agent that is commanded through drafts does the
same. Most looks find nothing. Times renew themselves or keep their phase with a flex, as an alarm's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.clock import LAWS, alarms, renewal, thinking
from lab.draft import Draft

NOTHING = (20, 30)  # NOOP and its answer


@dataclass(frozen=True)
class Behaviour:
    """Settings of mail-check."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 993 with TLS (RFC 8314), 143 without")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    period: float = setting(900.0, unit="s", minimum=10, maximum=7 * 86_400, source="mail apps offer 5 min to 1 d")
    jitter: float = setting(0.1, minimum=0, maximum=1)
    law: str = setting("alarm", choices=("alarm", *LAWS), source="alarm: the jitter is a flex around a kept phase")
    mail_probability: float = setting(0.15, minimum=0, maximum=1, source="that a look finds one")
    mail: int = setting(6_000, unit="B", minimum=200, maximum=10_000_000, source="median, log-normal")
    draft_probability: float = setting(0.1, minimum=0, maximum=1, source="that what was read leads to a draft")
    draft: int = setting(2_500, unit="B", minimum=200, maximum=10_000_000, source="median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per look; log-in and SELECT are the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("imap", tls=self.tls, port=self.port or (993 if self.tls else 143), idle="no")
        peer = draft.peer(self.reach)
        for at in self._looks(rng, window.span).tolist():
            time, up, down = [at + SECOND // 2], [NOTHING[0]], [NOTHING[1]]
            if rng.random() < self.mail_probability:
                time.append(time[-1] + SECOND // 2)
                up.append(60)
                down.append(int(max(self.mail * rng.lognormal(0.0, 0.8), 200)))
                if rng.random() < self.draft_probability:
                    time.append(time[-1] + int(rng.uniform(1.0, 8.0) * SECOND))
                    up.append(int(max(self.draft * rng.lognormal(0.0, 0.7), 200)))
                    down.append(60)
            delay = thinking(rng, len(time))
            draft.talk(speech, peer, np.array(time), up=up, down=down, delay=delay, start=at, linger=SECOND // 2)
        return draft.batch()

    def _looks(self, rng: np.random.Generator, span: int) -> Int64:
        if self.law == "alarm":
            return alarms(rng, self.period, self.jitter, span)
        return renewal(rng, self.law, self.period, self.jitter, span)
