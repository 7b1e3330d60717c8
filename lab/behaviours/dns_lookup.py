"""An app that asks for reputations or keys through DNS: blocklist, antivirus, spam and domain-verification questions.

Law: an alarm asks for what is new since the last time (other laws and gates: lab/habits/pace.py), and a scan, while the
app is open, asks for many names in a row. Labels are hashes of what is looked up, so nearly every name is new (RFC 5782
describes such DNS lists; antivirus products answer in TXT or A records: from memory). Over UDP, TCP, TLS or HTTPS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import QTYPES, RESOLVERS, asked
from lab.habits.clock import around, poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pace import Pace, moments, paced


@dataclass(frozen=True)
class Behaviour:
    """Settings of dns-lookup."""

    carrier: str = setting(
        "dns", choices=RESOLVERS, source="dns, dns-tcp: the device's resolver; dot, doh: a public one"
    )
    keep: float = setting(
        10.0, unit="s", minimum=0, maximum=3_600, source="how long a connection of DNS waits for another question"
    )
    period: float = setting(60.0, unit="s", minimum=1, maximum=7 * 86_400)
    flex: float = setting(0.2, minimum=0, maximum=1, source="of law phase; the jitter of others")
    law: str = paced("law", "phase")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut", "skip")
    wake: str = paced("wake")
    ration: float = paced("ration")
    qtype: str = setting("TXT", choices=QTYPES)
    up: int = setting(90, unit="B", minimum=30, maximum=250, source="RFC 1035 2.3.4: names of at most 255 B")
    down: int = setting(180, unit="B", minimum=40, maximum=1_200, source="1232 B without TCP, DNS flag day 2020")
    spread: float = setting(0.1, minimum=0, maximum=0.9)
    scans_per_hour: float = setting(20.0, minimum=0, maximum=600, source="in the foreground")
    scanned: int = setting(15, minimum=1, maximum=1_000, source="names of one scan")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation (an own UDP socket) per question; over TCP, of those that come while it is kept."""
        draft = Draft(window.span)
        speech, peer = asked(draft, self.carrier, qtype=self.qtype)
        pace = replace(Pace.of(self), jitter=self.flex, task_probability=0.0)
        due = moments(rng, pace, window).time
        times = np.sort(np.concatenate([due, self._scans(rng, window.foreground)]))
        n = len(times)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        keep = -1 if self.carrier == "dns" else int(self.keep * SECOND)
        fresh = np.diff(times, prepend=np.int64(-(10**12))) > keep
        said = words(times, up, down, thinking(rng, n, 60.0))
        draft.talks(speech, peer, times[fresh], (np.cumsum(fresh) - 1, said), linger=max(keep, 0))
        return draft.batch()

    def _scans(self, rng: np.random.Generator, foreground: Int64) -> Int64:
        begins = poisson(rng, self.scans_per_hour, foreground)
        gaps = rng.exponential(0.1, (len(begins), self.scanned))
        return (begins[:, None] + (np.cumsum(gaps, axis=1) * SECOND).astype(np.int64)).ravel()
