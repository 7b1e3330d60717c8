"""A browser that asks for names nobody has, to find out whether the network answers with an address all the same.

Law: Chromium's intranet redirect detector asked for three random names of 7 to 15 letters some seconds after its start
and after each change of the network, so that it could tell a resolver that redirects what does not exist (from memory;
Huston and Kumari at APNIC saw it as half of the root servers' questions in 2020). It is one of desktops; that browsers
of phones do the same is our choice. Single labels are completed by the domain of the network, as resolvers with a
search list do. An app that is opened later than ``forgotten`` after its last use starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.draft import Draft
from lab.habits.reconnect import changes


@dataclass(frozen=True)
class Behaviour:
    """Settings of redirect-probe."""

    count: int = setting(3, minimum=1, maximum=20, source="Chromium: 3")
    shortest: int = setting(7, minimum=1, maximum=15, source="letters; Chromium: 7 to 15")
    delay: float = setting(7.0, unit="s", minimum=0, maximum=60, source="after its start; Chromium: 7 s")
    forgotten: float = setting(
        3_600.0, unit="s", minimum=60, maximum=86_400, source="unused that long, the system has ended it; our choice"
    )

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """As many look-ups at once as ``count``, at each start and, while it runs, each change of the network."""
        draft = Draft(window.span)
        begun = self._started(window)
        probed = np.sort(np.concatenate([begun, self._changed(window)])) + int(self.delay * SECOND)
        times = np.repeat(probed, self.count) + rng.integers(0, 2_000, len(probed) * self.count)
        lengths = rng.integers(self.shortest, 16, len(times))
        letters = rng.integers(0, 26, (len(times), 15)) + ord("a")
        labels = [bytes(row[:size]).decode() for row, size in zip(letters.astype(np.uint8), lengths, strict=True)]
        draft.seek("local", labels, times)
        return draft.batch()

    def _started(self, window: Window) -> Int64:
        uses = window.foreground
        idle = uses[:, 0] - np.append(-int(self.forgotten * SECOND) - 1, uses[:-1, 1])[: len(uses)]
        found: Int64 = uses[idle > self.forgotten * SECOND, 0]
        return found

    def _changed(self, window: Window) -> Int64:
        """The changes of the network at which the app still runs."""
        when, used = changes(window), window.foreground[:, 0]
        last = np.append(np.iinfo(np.int64).min // 2, used)[np.searchsorted(used, when, side="right")]
        found: Int64 = when[when - last < self.forgotten * SECOND]
        return found
