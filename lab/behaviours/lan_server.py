"""A server on the phone for its neighbours: files for a computer, a remote control, a control panel. It dials nobody.

Law: a listener, at all times or while the owner shares something; visits of a few neighbours, each a handful of
requests with answers (or uploads) of very different sizes. Ports: KDE Connect has 1714 to 1764, file servers like 2121
and 8080 (from memory); adb's old 5555 is SigComp to tshark, malformed. Rates are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.ragged import positions
from lab.habits.sittings import sittings

MOST_REQUESTS = 40


@dataclass(frozen=True)
class Behaviour:
    """Settings of lan-server."""

    protocol: str = setting("opaque", choices=("opaque", "http"), source="opaque: files, FTP data, remote framebuffer")
    port: int = setting(1_716, minimum=1_024, maximum=65_535, source="KDE Connect's, from memory")
    reach: str = setting("lan", choices=("lan", "literal"), source="who visits; literal: through a forwarded port")
    visitors: int = setting(2, minimum=1, maximum=50)
    resident: bool = setting(False, source="True: it listens at all times; False: while the owner shares something")
    probability: float = setting(0.4, minimum=0, maximum=1, source="that opening the app begins a sharing")
    length: float = setting(900.0, unit="s", minimum=30, maximum=86_400, source="of a sharing, mean")
    visits_per_hour: float = setting(12.0, minimum=0, maximum=3_600, source="while it listens")
    requests: float = setting(6.0, minimum=1, maximum=30, source="of a visit, mean")
    size: int = setting(4_000, unit="B", minimum=20, maximum=1_000_000, source="median of an answer")
    spread: float = setting(1.5, minimum=0, maximum=2, source="sigma of the log-normal sizes")
    largest: int = setting(500_000, unit="B", minimum=1_000, maximum=100_000_000)
    uploads: float = setting(0.2, minimum=0, maximum=1, source="share of requests that carry the bulk to the phone")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per visit."""
        draft = Draft(window.span)
        speech = draft.speech(self.protocol, port=self.port)
        visitors = np.array([draft.peer(self.reach) for _ in range(self.visitors)])
        shared = self._shared(rng, window)
        draft.listen += [(begin, end, self.port) for begin, end in shared.tolist()]
        begins = poisson(rng, self.visits_per_hour, shared)
        counts = np.minimum(rng.geometric(1.0 / self.requests, len(begins)), MOST_REQUESTS)
        of, place = positions(counts)
        n = len(of)
        turns = ((0.05 + rng.lognormal(np.log(0.6), 1.0, n)) * SECOND).astype(np.int64)
        gone = np.concatenate([[0], np.cumsum(turns)])
        times = begins[of] + SECOND // 10 + gone[:-1] - gone[np.arange(n) - place]
        bulk = np.minimum(self.size * rng.lognormal(0.0, self.spread, n), self.largest).astype(np.int64) + 20
        small, sent = rng.integers(60, 300, n), rng.random(n) < self.uploads
        up, down = np.where(sent, bulk, small), np.where(sent, small, bulk)
        said = words(times, up, down, thinking(rng, n, 8.0))
        draft.talks(speech, rng.choice(visitors, len(begins)), begins, (of, said), linger=2 * SECOND, inbound=True)
        return draft.batch()

    def _shared(self, rng: np.random.Generator, window: Window) -> Int64:
        if self.resident:
            return whole(window.span)
        begun = sittings(rng, window.foreground, self.probability, self.length, least_s=30.0)
        return np.minimum(begun, window.span)
