"""An app that submits mail: what its owner writes while it is open, and what it sends by itself at intervals.

Law: people write as a Poisson process while the app is in front; reports (scanners, cameras, forwarders of short
messages, and agents that report by mail) leave at the pace of lab/habits/pace.py. Each mail is a submission of its
own (RFC 6409) that logs in, says one mail and quits, as mail apps do for what lies in the outbox. Bodies of written
mail are log-normal; reports have one size, but for those with an attachment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import around, poisson, thinking
from lab.habits.draft import Draft
from lab.habits.pace import Pace, moments, paced

REPLIES = 110  # bytes of "250", "250", "354" and "250 ... queued as" together
SMALLEST = 450  # a mail with its envelope and header fields


@dataclass(frozen=True)
class Behaviour:
    """Settings of mail-smtp."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 465 with TLS (RFC 8314), 587 without (RFC 6409)")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    written_per_hour: float = setting(12.0, minimum=0, maximum=3_600, source="while the app is open; our choice")
    mail: int = setting(
        4_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median; quoted text included, our choice"
    )
    period: float = setting(0.0, unit="s", minimum=0, maximum=7 * 86_400, source="of reports; 0 = it sends none")
    jitter: float = paced("jitter")
    law: str = paced("law")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut")
    wake: str = paced("wake")
    ration: float = paced("ration")
    report: int = setting(1_200, unit="B", minimum=SMALLEST, maximum=1_000_000)
    spread: float = setting(0.05, minimum=0, maximum=0.9)
    attachment_probability: float = setting(0.02, minimum=0, maximum=1, source="that a report carries more")
    attachment: int = setting(12_000, unit="B", minimum=SMALLEST, maximum=10_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per mail; log-in and QUIT are the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("smtp", tls=self.tls, port=self.port or (465 if self.tls else 587))
        peer = draft.peer(self.reach)
        written = poisson(rng, self.written_per_hour, window.foreground)
        reports = moments(rng, Pace.of(self), window).time if self.period else written[:0]
        bodies = np.maximum(self.mail * rng.lognormal(0.0, 1.0, len(written)), SMALLEST).astype(np.int64)
        sizes = around(rng, self.report, self.spread, len(reports))
        more = rng.random(len(reports)) < self.attachment_probability
        sizes += more * (self.attachment * rng.lognormal(0.0, 0.7, len(reports))).astype(np.int64)
        times = np.concatenate([written, reports])
        draft.calls(
            speech,
            peer,
            times,
            up=np.concatenate([bodies, np.maximum(sizes, SMALLEST)]),
            down=REPLIES,
            delay=thinking(rng, len(times), 120.0),
            linger=SECOND // 2,
        )
        return draft.batch()
