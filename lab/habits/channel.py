"""One long connection of an app: kept alive by beats, with words said when they come, if it is there then.

Columns all along: nothing loops over words. When connections live is lab/habits/reconnect.py's.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.habits.longflow import Words, words
from lab.habits.ragged import positions

READY = 2 * SECOND  # behind the dial: TCP, TLS and log-in are over
PATIENCE = 10 * SECOND  # how long a word waits for a connection that is being dialled


def beats(rng: np.random.Generator, lives: Int64, every_s: float, up: int, down: int) -> tuple[Int64, Words]:
    """Beats of the app that keep each connection alive, a full interval after the dial first, a few ms late each."""
    every = int(every_s * SECOND)
    owner, nth = positions((lives[:, 1] - lives[:, 0]) // every)
    time = lives[owner, 0] + (nth + 1) * every + rng.exponential(8_000.0, len(owner)).astype(np.int64)
    kept = time + SECOND < lives[owner, 1]
    return owner[kept], words(time[kept], up, down, 500)


def spoken(lives: Int64, said: Words) -> tuple[Int64, Words]:
    """The connection that is open for each word, and the words; one that comes while it is dialled waits for it.

    Words that no connection is there for are lost.
    """
    owner = np.searchsorted(lives[:, 1], said.time, side="right")
    known = owner < len(lives)
    owner, said = owner[known], said.only(known)
    time = np.maximum(said.time, lives[owner, 0] + READY)
    kept = (time - said.time <= PATIENCE) & (time + said.delay < lives[owner, 1])
    return owner[kept], Words(time, said.up, said.down, said.delay).only(kept)
