"""An app that asks for reputations or keys through DNS: blocklist, antivirus and domain-verification questions.

Law: an alarm asks for what is new since the last time, and a scan, while the app is open, asks for many names in a row.
Labels are hashes of what is looked up, so nearly every name is new (RFC 5782 describes such DNS lists; antivirus
products answer in TXT or A records: from memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.clock import alarms, around, poisson, thinking
from lab.draft import Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of dns-lookup."""

    period: float = setting(60.0, unit="s", minimum=1, maximum=7 * 86_400)
    flex: float = setting(0.2, minimum=0, maximum=1)
    qtype: str = setting("TXT", choices=("TXT", "A", "NULL"))
    up: int = setting(90, unit="B", minimum=30, maximum=250, source="RFC 1035 2.3.4: names of at most 255 B")
    down: int = setting(180, unit="B", minimum=40, maximum=1_200, source="1232 B without TCP, DNS flag day 2020")
    spread: float = setting(0.1, minimum=0, maximum=0.9)
    scans_per_hour: float = setting(20.0, minimum=0, maximum=600, source="in the foreground")
    scanned: int = setting(15, minimum=1, maximum=1_000, source="names of one scan")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation (an own UDP socket) per question."""
        draft = Draft(window.span)
        speech = draft.speech("dns", port=53, qtype=self.qtype)
        peer = draft.peer("resolver")
        times = np.concatenate([alarms(rng, self.period, self.flex, window.span), self._scans(rng, window.foreground)])
        n = len(times)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        draft.calls(speech, peer, np.sort(times), up=up, down=down, delay=thinking(rng, n, 60.0))
        return draft.batch()

    def _scans(self, rng: np.random.Generator, foreground: Int64) -> Int64:
        begins = poisson(rng, self.scans_per_hour, foreground)
        gaps = rng.exponential(0.1, (len(begins), self.scanned))
        return (begins[:, None] + (np.cumsum(gaps, axis=1) * SECOND).astype(np.int64)).ravel()
