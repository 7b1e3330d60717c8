"""A BitTorrent client: dozens of strangers at once, dialled and dialling in, pieces down and other pieces up.

Law (BEP 3, from memory): a handshake of 68 B each way, requests of 17 B for blocks of 16 KiB (16397 B with their head),
keepalives each 2 minutes, announcements to a tracker each 30 minutes. What goes up is not what came down: it is kept,
and given to whoever asks, much later or never. uTP and the DHT (both UDP) are left out. Volumes are kept small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Bool, Int64, Window, setting
from lab.habits.clock import thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, words
from lab.habits.ragged import joined, positions
from lab.habits.sittings import sittings

HANDSHAKE, REQUEST, PIECE, KEEPALIVE = 68, 17, 16_397, 4  # bytes
KEEPALIVE_S, ANNOUNCE_S = 120.0, 1_800.0


@dataclass(frozen=True)
class Behaviour:
    """Settings of torrent."""

    port: int = setting(6_881, minimum=1_024, maximum=65_535, source="BEP 3: 6881 to 6889")
    probability: float = setting(0.4, minimum=0, maximum=1, source="that opening the app begins a download")
    downloads: int = setting(2, minimum=1, maximum=50, source="of a span, at most")
    length: float = setting(1_800.0, unit="s", minimum=60, maximum=86_400, source="of a download and seeding, mean")
    peers: int = setting(25, minimum=1, maximum=200, source="dialled in a download")
    callers: int = setting(10, minimum=0, maximum=200, source="strangers who dial the phone")
    stay: float = setting(420.0, unit="s", minimum=10, maximum=36_000, source="how long one stays, mean")
    blocks: int = setting(200, minimum=1, maximum=100_000, source="16 KiB each, taken in a download")
    ratio: float = setting(0.4, minimum=0, maximum=10, source="blocks given per block taken")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per announcement, per peer dialled, per caller."""
        draft = Draft(window.span)
        lines = draft.speech("opaque", port=self.port), draft.web(tls=False)
        tracker = draft.peer("tail")
        swarm = np.array([draft.peer("literal", passing=True) for _ in range(self.peers + self.callers)])
        begun = sittings(rng, window.foreground, self.probability, self.length, least_s=60.0, most=self.downloads)
        for begin, end in np.minimum(begun, window.span).tolist():
            draft.listen.append((begin, end, self.port))
            announced = np.arange(begin, end, int(ANNOUNCE_S * SECOND), dtype=np.int64)
            draft.calls(lines[1], tracker, announced, up=420, down=700, delay=thinking(rng, len(announced)))
            self._swarm(rng, draft, (lines[0], swarm), (begin, end))
        return draft.batch()

    def _swarm(self, rng: np.random.Generator, draft: Draft, who: tuple[int, Int64], during: tuple[int, int]) -> None:
        """All strangers of one download; the phone takes blocks from all and gives blocks to all."""
        speech, swarm = who
        begin, end = during
        n = self.peers + self.callers
        inbound = np.arange(n) >= self.peers
        start = begin + 2 * SECOND + (rng.random(n) ** 2 * (end - begin)).astype(np.int64)
        until = np.minimum(start + (rng.exponential(self.stay, n) * SECOND).astype(np.int64), end)
        rich = rng.pareto(1.2, n) + 0.1  # few strangers give most
        taken = rng.multinomial(self.blocks, rich / rich.sum())
        given = rng.multinomial(int(self.blocks * self.ratio), rng.permutation(rich) / rich.sum())
        alive, step = positions(((until - start) // int(KEEPALIVE_S * SECOND)).clip(0))
        greeting = np.arange(n), words(start + SECOND // 5, HANDSHAKE + 120, HANDSHAKE + 120, 5_000)
        kept = alive, words(start[alive] + ((step + 1) * KEEPALIVE_S * SECOND).astype(np.int64), KEEPALIVE, KEEPALIVE)
        took = self._blocks(rng, (start, until), taken, asks=~inbound)
        gave = self._blocks(rng, (start, until), given, asks=inbound)
        of, said = joined(greeting, kept, took, gave)
        for way in (False, True):
            mine = inbound == way
            rows = mine[of]
            rank = np.cumsum(mine) - 1
            part = rank[of[rows]], said.only(rows)
            draft.talks(speech, swarm[mine], start[mine], part, linger=SECOND, inbound=way)

    def _blocks(
        self, rng: np.random.Generator, stay: tuple[Int64, Int64], counts: Int64, *, asks: Bool
    ) -> tuple[Int64, Words]:
        """Blocks asked for by whoever opened the conversation (``asks``), or asked of it."""
        start, until = stay
        of, _ = positions(counts)
        room = (until - start - 2 * SECOND).clip(1)
        times = start[of] + SECOND + (rng.random(len(of)) * room[of]).astype(np.int64)
        delay = thinking(rng, len(of), 120.0)
        ours = asks[of]
        pulled = of[ours], words(times[ours], REQUEST, PIECE, delay[ours])
        asked = of[~ours], words(times[~ours], 0, REQUEST)
        sent = of[~ours], words((times + delay)[~ours], PIECE, 0)
        return joined(pulled, asked, sent)
