"""Remote support: somebody looks at the screen and taps from afar, through a broker's server that both dial.

Law: one conversation with the broker while it lasts: pictures of the screen go up as it changes, taps come down; bytes
up are many times those down. The shape of one flow to one host for minutes is that of a TeamViewer session
(ndpi-teamviewer: TCP 5938, 400 s, one server); rates are assumptions. No listener, no other destination.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import ticks, together, words
from lab.habits.sittings import sittings


@dataclass(frozen=True)
class Behaviour:
    """Settings of remote-support."""

    tls: bool = setting(True)
    port: int = setting(443, minimum=1, maximum=65_535, source="TeamViewer: 5938, else 443")
    reach: str = setting("vendor", choices=("vendor", "own", "popular", "tail", "tenant"))
    probability: float = setting(0.3, minimum=0, maximum=1, source="that opening the app begins a session")
    sessions: int = setting(2, minimum=1, maximum=50, source="of a span, at most")
    length: float = setting(600.0, unit="s", minimum=30, maximum=14_400, source="mean")
    heartbeat: float = setting(10.0, unit="s", minimum=1, maximum=600)
    pictures_per_hour: float = setting(1_800.0, minimum=0, maximum=36_000)
    picture: int = setting(6_000, unit="B", minimum=100, maximum=1_000_000, source="median; log-normal, sigma 0.9")
    taps_per_hour: float = setting(1_500.0, minimum=0, maximum=36_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per session."""
        draft = Draft(window.span)
        speech = draft.speech("opaque", tls=self.tls, port=self.port)
        broker = draft.peer(self.reach)
        begun = sittings(rng, window.foreground, self.probability, self.length, least_s=30.0, most=self.sessions)
        for begin, end in np.minimum(begun, window.span).tolist():
            during = np.array([[begin + 2 * SECOND, end]], dtype=np.int64)
            if during[0, 1] <= during[0, 0]:
                continue
            drawn, taps = poisson(rng, self.pictures_per_hour, during), poisson(rng, self.taps_per_hour, during)
            sizes = np.minimum(self.picture * rng.lognormal(0.0, 0.9, len(drawn)), 40 * self.picture).astype(np.int64)
            said = together(
                words(np.array([begin]), 900, 600, thinking(rng, 1)),
                words(ticks(rng, begin, end, self.heartbeat), 24, 24, 1_000),
                words(drawn, sizes, 0),
                words(taps, 0, rng.integers(30, 90, len(taps))),
            )
            draft.talk(speech, broker, said.time, up=said.up, down=said.down, delay=said.delay, close=end)
        return draft.batch()
