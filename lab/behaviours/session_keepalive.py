"""A session that is kept open by small beats: zero-trust clients, camera and peer-to-peer clouds, carriers' gateways.

Law: a beat every ``every`` keeps a NAT mapping alive (RFC 4787 REQ-5: UDP mappings live 2 min or more, many live 30 s,
hence WireGuard's 25 s and RFC 5626's 24 to 29 s, drawn anew each time where the jitter says so); the session begins
with a registration, carries bursts while its owner uses it, and ends after hours or with the network it was made on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.clock import interval_of, poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, words
from lab.habits.ragged import joined, positions, summed
from lab.habits.reconnect import connections

OPTIONS = {"datagram": {"form": "plain"}, "stun": {}, "opaque": {}}
PORTS = {("datagram", False): 32_100, ("stun", False): 3_478, ("opaque", True): 443, ("opaque", False): 8_800}


@dataclass(frozen=True)
class Behaviour:
    """Settings of session-keepalive."""

    protocol: str = setting("datagram", choices=tuple(OPTIONS), source="UDP; STUN bindings (RFC 8489); or TCP")
    tls: bool = setting(False, source="of opaque; UDP has none")
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 3478 STUN, 443 TLS, else one of vendors'")
    reach: str = setting("literal", choices=REACHES)
    every: float = setting(25.0, unit="s", minimum=5, maximum=3_600, source="cameras 25, VPNs 25 to 60; from memory")
    jitter: float = setting(0.0, minimum=0, maximum=0.9, source="uniform, a share around")
    lifetime: float = setting(6 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    up: int = setting(48, unit="B", minimum=1, maximum=1_200)
    down: int = setting(48, unit="B", minimum=0, maximum=1_200, source="0: beats are not answered")
    hello_up: int = setting(220, unit="B", minimum=1, maximum=10_000)
    hello_down: int = setting(180, unit="B", minimum=1, maximum=10_000)
    bursts_per_hour: float = setting(10.0, minimum=0, maximum=3_600, source="while the app is open")
    burst: int = setting(12_000, unit="B", minimum=100, maximum=1_000_000, source="a picture; median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per session."""
        draft = Draft(window.span)
        tls = self.tls and self.protocol == "opaque"
        port = self.port or PORTS[self.protocol, tls]
        speech = draft.speech(self.protocol, tls=tls, port=port, **OPTIONS[self.protocol])
        peer = draft.peer(self.reach)
        lives = connections(rng, self.lifetime, window)
        n = len(lives)
        hello = words(lives[:, 0], self.hello_up, self.hello_down, thinking(rng, n))
        said = joined((np.arange(n), hello), self._beats(rng, lives), self._bursts(rng, window, lives))
        draft.talks(speech, peer, lives[:, 0], said, close=lives[:, 1])
        return draft.batch()

    def _beats(self, rng: np.random.Generator, lives: Int64) -> tuple[Int64, Words]:
        shortest = self.every * (1.0 - self.jitter)
        counts = (lives[:, 1] - lives[:, 0]) // int(shortest * SECOND) + 1
        of, _ = positions(counts)
        steps = self.every * (1.0 + self.jitter * rng.uniform(-1.0, 1.0, len(of)))
        late = rng.exponential(8_000.0, len(of)).astype(np.int64)
        time = lives[of, 0] + (summed(steps, counts) * SECOND).astype(np.int64) + late
        held = time + SECOND < lives[of, 1]
        of, time = of[held], time[held]
        return of, words(time, self.up, self.down, thinking(rng, len(of), 3.0))

    def _bursts(self, rng: np.random.Generator, window: Window, lives: Int64) -> tuple[Int64, Words]:
        used = poisson(rng, self.bursts_per_hour, window.foreground)
        of = interval_of(used + 2 * SECOND, lives)
        used, of = used[of >= 0], of[of >= 0]
        used = np.maximum(used, lives[of, 0] + SECOND)
        sizes = np.maximum(self.burst * rng.lognormal(0.0, 0.7, len(used)), 100).astype(np.int64)
        return of, words(used, 120, sizes, thinking(rng, len(used)))
