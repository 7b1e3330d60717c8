"""The one long connection over which a push service wakes apps: a heartbeat now and then, pushes when there are any.

Law: heartbeats keep their phase within a connection, more seldom on the mobile network than on Wi-Fi; pushes are a
Poisson process, fewer to an exempt app while the phone dozes (``quiet``), while any other hears nothing in Doze (the
windows of high-priority messages are not modelled); a connection ends after hours or with the network it was made on.
Port 5228 is the one Firebase names for its messaging (firebase.google.com, "ports and your firewall"); heartbeats of
about 28 min on mobile networks and 15 min on Wi-Fi are from memory. Over MQTT the same: a smart-home or messenger app
of its own broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lab.behaviours import Batch, Int64, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.channel import beats, spoken
from lab.habits.clock import inside, poisson, renewal, thinking, whole
from lab.habits.draft import Draft
from lab.habits.longflow import Words, together, words
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

RECEIPT = 40  # bytes; longer than any heartbeat
PUBACK = 4  # bytes, section 3.4
SHORTEST_S = 10.0  # between heartbeats or reports
MQTT_PING = 2  # PINGREQ, PINGRESP: MQTT 3.1.1 section 3.12; what acknowledges a publication is the protocol's own
PORTS = {("push", True): 5228, ("push", False): 5228, ("mqtt", True): 8883, ("mqtt", False): 1883}


@dataclass(frozen=True)
class Behaviour:
    """Settings of push-keepalive."""

    protocol: str = setting("push", choices=("push", "mqtt"))
    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 5228; MQTT 8883, 1883 without TLS (IANA)")
    reach: str = setting("popular", choices=REACHES)
    heartbeat: float = setting(900.0, unit="s", minimum=10, maximum=7_200)
    heartbeat_mobile: float = setting(
        0.0, unit="s", minimum=0, maximum=7_200, source="on the mobile network; 0 = as on Wi-Fi, FCM about 28 min"
    )
    lifetime: float = setting(8 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    pushes_per_hour: float = setting(6.0, minimum=0, maximum=3_600)
    quiet: float = setting(
        0.2,
        minimum=0,
        maximum=1,
        source="share of pushes that come while the phone dozes, of an exempt app: others hear nothing in Doze",
    )
    beat: int = setting(12, unit="B", minimum=2, maximum=1_000, source="MQTT: always 2")
    reports: float = setting(
        0.0, unit="s", minimum=0, maximum=86_400, source="MQTT: period of a sensor's publications; 0 = it makes none"
    )
    jitter: float = setting(0.0, minimum=0, maximum=1, source="of reports, uniform around the period")
    report: int = setting(180, unit="B", minimum=30, maximum=100_000)
    push: int = setting(700, unit="B", minimum=10, maximum=4_096, source="FCM: payloads of at most 4096 B")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; the log-in is the protocol's own."""
        draft = Draft(window.span)
        mqtt = self.protocol == "mqtt"
        beat = MQTT_PING if mqtt else self.beat
        options = {"keepalive": str(round(self.heartbeat))} if mqtt else {}
        port = self.port or PORTS[self.protocol, self.tls]
        speech = draft.speech(self.protocol, tls=self.tls, port=port, **options)
        peer = draft.peer(self.reach)
        come = poisson(rng, self.pushes_per_hour, whole(window.span))
        come = come[~inside(come, window.doze) | (rng.random(len(come)) < self.quiet)]
        sizes = np.clip(self.push * rng.lognormal(0.0, 0.6, len(come)), 40, 4_096)
        receipts = words(come[:0] if mqtt else come + 150_000, RECEIPT, 0)
        pushed = together(words(come, 0, sizes), receipts)
        if mqtt and self.reports:
            told = renewal(rng, "uniform", max(self.reports, SHORTEST_S), self.jitter, window.span)
            pushed = together(pushed, words(told, self.report, PUBACK, thinking(rng, len(told))))
        lives = connections(rng, self.lifetime, window)
        heard = joined(spoken(lives, pushed), *self._heartbeats(rng, lives, window, beat))
        draft.talks(speech, peer, lives[:, 0], heard, close=lives[:, 1])
        return draft.batch()

    def _heartbeats(
        self, rng: np.random.Generator, lives: Int64, window: Window, size: int
    ) -> Iterator[tuple[Int64, Words]]:
        """Those of connections on Wi-Fi, then those on the mobile network."""
        mobile = ~inside(lives[:, 0], window.wifi) & (self.heartbeat_mobile > 0)
        for here, every in ((~mobile, self.heartbeat), (mobile, max(self.heartbeat_mobile, SHORTEST_S))):
            of, said = beats(rng, lives[here], every, size, size)
            yield np.flatnonzero(here)[of], words(said.time, size, size, thinking(rng, len(of), 5.0))
