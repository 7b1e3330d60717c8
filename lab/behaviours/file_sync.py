"""Folders kept the same on a phone and its owner's computers, without a server: Syncthing and its like.

Law: it listens, dials its own few devices (some on the same network, some far) and is dialled by them; on each
connection a ping every 90 s and, when something was changed, an index and blocks of 128 KiB and more either way; an
announcement to its vendor every 30 minutes. Ports and intervals of Syncthing's Block Exchange and Global Discovery
protocols (docs.syncthing.net, from memory). Announcements on the network itself (UDP 21027 each 30 s, as in capture
ndpi-syncthing) are left out. Changes are a Poisson process while the phone is unlocked and, of others, at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import alarms, inside, poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.gates import GATES, gated
from lab.habits.longflow import Words, dials, dials_during, ticks, together, words

PING, HELLO, INDEX, BLOCK = 12, 900, 400, 128 * 1_024 + 60
PING_S, ANNOUNCE_S = 90.0, 1_800.0


@dataclass(frozen=True)
class Behaviour:
    """Settings of file-sync."""

    port: int = setting(22_000, minimum=1_024, maximum=65_535, source="Syncthing's")
    reach: str = setting("vendor", choices=("vendor", "tail", "own"), source="of the discovery server")
    near: int = setting(1, minimum=0, maximum=20, source="computers on the same network; every second one dials in")
    far: int = setting(1, minimum=0, maximum=20, source="computers elsewhere, by address")
    changes_per_hour: float = setting(3.0, minimum=0, maximum=600, source="on the phone, while unlocked")
    news_per_hour: float = setting(1.0, minimum=0, maximum=600, source="on each computer")
    size: int = setting(300_000, unit="B", minimum=100, maximum=10_000_000, source="median of a change; sigma 1")
    largest: int = setting(1_500_000, unit="B", minimum=1_000, maximum=100_000_000)
    lifetime: float = setting(3 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    when: str = setting("always", choices=GATES, source="plugged-idle: charger, Wi-Fi, screen dark")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial of a computer, one per announcement."""
        draft = Draft(window.span)
        web, speech = draft.web(method="POST"), draft.speech("opaque", tls=True, port=self.port)
        vendor = draft.peer(self.reach)
        open_ = gated(window, self.when)
        announced = alarms(rng, ANNOUNCE_S, 0.02, window.span)
        announced = announced[inside(announced, open_)]
        draft.calls(web, vendor, announced, up=700, down=250, delay=thinking(rng, len(announced)), linger=SECOND)
        changed = poisson(rng, self.changes_per_hour, window.unlocked)
        sizes = self._sizes(rng, len(changed))
        draft.listen += [(begin, end, self.port) for begin, end in open_.tolist()]
        for nth in range(self.near + self.far):
            peer, inbound = draft.peer("lan" if nth < self.near else "literal"), nth % 2 == 1
            news = poisson(rng, self.news_per_hour, whole(window.span))
            shared = _moved(rng, (changed, sizes), (news, self._sizes(rng, len(news))), inbound=inbound)
            always = self.when == "always"
            up = dials(rng, self.lifetime, window.span) if always else dials_during(rng, self.lifetime, open_)
            for begin, end in up:
                beats = words(ticks(rng, begin, end, PING_S), PING, PING, 1_000)
                hello = words(np.array([begin]), HELLO, HELLO, 20_000)
                said = together(hello, beats, shared.during(begin + 2 * SECOND, end))
                draft.talk(
                    speech,
                    peer,
                    said.time,
                    up=said.up,
                    down=said.down,
                    delay=said.delay,
                    inbound=inbound,
                    stack=nth if inbound else -1,
                    close=end,
                )
        return draft.batch()

    def _sizes(self, rng: np.random.Generator, count: int) -> Int64:
        return np.minimum(self.size * rng.lognormal(0.0, 1.0, count), self.largest).astype(np.int64)


def _moved(rng: np.random.Generator, ours: tuple[Int64, Int64], theirs: tuple[Int64, Int64], *, inbound: bool) -> Words:
    """An index of what changed, then requests and blocks; ``inbound``: the other side is the client."""
    parts = []
    for (times, sizes), mine in ((ours, True), (theirs, False)):
        asked = times + SECOND + (rng.exponential(2.0, len(times)) * SECOND).astype(np.int64)
        blocks = np.maximum(-(-sizes // BLOCK), 1)
        lasting = thinking(rng, len(times)) + blocks * 20_000
        if mine != inbound:  # what goes to the server of the conversation
            parts += [words(times, INDEX, 0), words(asked, 0, 90 * blocks), words(asked + lasting, sizes, 0)]
        else:
            parts += [words(times, 0, INDEX), words(asked, 90 * blocks, sizes, lasting)]
    return together(*parts)
