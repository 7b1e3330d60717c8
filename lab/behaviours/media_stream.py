"""Music or video in segments of equal playing time from one host, in the foreground or with the screen off.

Law: HTTP adaptive streaming (RFC 8216 section 3): after a short burst that fills the buffer, one segment per segment
duration, sizes around a bit rate. Bit rates here are low so that a day stays small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft

BUFFER = 3  # segments fetched at once in the beginning


@dataclass(frozen=True)
class Behaviour:
    """Settings of media-stream."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("popular", choices=("vendor", "own", "popular", "tail", "tenant", "fresh"))
    segment: float = setting(10.0, unit="s", minimum=1, maximum=60, source="RFC 8216 suggests about 10 s")
    size: int = setting(80_000, unit="B", minimum=1_000, maximum=100_000_000)
    spread: float = setting(0.25, minimum=0, maximum=0.9)
    background: bool = setting(False, source="True: plays on after the app has left the foreground")
    playing: float = setting(600.0, unit="s", minimum=1, maximum=86_400, source="mean of one listening, background")
    most: float = setting(1_500.0, unit="s", minimum=1, maximum=86_400, source="playing time of a whole span, at most")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per playing, its segments the exchanges."""
        draft = Draft(window.span)
        speech = draft.web(tls=self.tls, port=self.port)
        peer = draft.peer(self.reach)
        left = int(self.most * SECOND)
        last = 0
        for begin, end in self._plays(rng, window.foreground).tolist():
            end_at = min(end, begin + left)
            if begin >= last and end_at - begin > 15 * SECOND:
                self._play(rng, draft, (speech, peer), (begin, end_at))
                left -= end_at - begin
                last = end_at
        return draft.batch()

    def _plays(self, rng: np.random.Generator, foreground: Int64) -> Int64:
        if not self.background:
            return foreground
        lengths = (rng.exponential(self.playing, len(foreground)) * SECOND).astype(np.int64)
        ends = np.maximum(foreground[:, 0] + lengths, foreground[:, 1])
        return np.stack([foreground[:, 0], ends], axis=1)

    def _play(self, rng: np.random.Generator, draft: Draft, line: tuple[int, int], play: tuple[int, int]) -> None:
        begin, end = play
        count = int((end - begin) / (self.segment * SECOND)) + BUFFER
        steps = np.full(count, self.segment) + rng.normal(0.0, 0.02, count)
        steps[: BUFFER - 1] = 0.6
        time = begin + SECOND + np.concatenate([[0], np.cumsum(steps[:-1]) * SECOND]).astype(np.int64)
        time = time[time < end]
        n = len(time)
        sizes = around(rng, self.size, self.spread, n)
        draft.talk(*line, time, up=around(rng, 400, 0.05, n), down=sizes, delay=thinking(rng, n, 25.0), linger=SECOND)
