"""Reports a handset's sockets as JSON lines: who connects where, who accepts, who listens, what each carried.

``python3 -m lab.stages.live.topology.image.sensor SPEC``, in the handset's network namespace with NET_ADMIN, sets that
namespace up and then says ``ready``. ``lost`` lines say what the kernel had to leave out; the last line is ``end``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from typing import Any

from lab.stages.live.topology.image import conntrack, diag, logged
from lab.stages.live.topology.image.diag import Heard
from lab.stages.live.topology.image.kernel import Feed, Questions, flows_feed, packets_feed, sockets_feed
from lab.stages.live.topology.image.logged import End
from lab.stages.live.topology.image.netns import set_up
from lab.stages.live.topology.image.rules import ADB_PORT, ENGINE_DNS, NFLOG_GROUP
from lab.stages.live.topology.image.spec import Spec
from lab.stages.live.topology.image.tracker import Event, Key, Open, Tracker, closed

_POLL_S = 0.1
_ANYWHERE = "0.0.0.0"  # noqa: S104 - what a socket table says, nothing is bound


class Sensor:
    """The feeds of one namespace and what is known of its connections."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.packets, self.sockets, self.flows = packets_feed(NFLOG_GROUP), sockets_feed(), flows_feed()
        self.questions = Questions()
        self.lines: list[Event] = []
        self.counts: dict[str, int] = {}
        self._next_packet: int | None = None
        self._next_poll = 0.0
        self._written = 0
        self.stopping = False

    def stop(self, *_: Any) -> None:
        """Asks for the end; what happened until then is still reported."""
        self.stopping = True

    def step(self, wait_s: float = _POLL_S) -> None:
        """Waits until something happens, or it is time to look for listeners, and writes what it came to."""
        feeds: list[Feed] = [self.packets, self.sockets, self.flows]
        select.select(feeds, [], [], wait_s)
        # destroyed sockets first: whatever packet opened them is then among those that wait
        gone = [diag.parse_gone(message.body) for message in self.sockets.waiting()]
        self._read_packets()
        for one in gone:
            for key, connection in self.tracker.gone(one) if one else ():
                self._close(key, connection, one.sent if one else None, one.received if one else None)
        self._read_flows()
        if time.monotonic() >= self._next_poll:
            self.look_for_listeners()
        for feed in feeds:
            if feed.overruns:
                self._lost(feed.name, None)
                feed.overruns = 0
        self.write()

    def look_for_listeners(self) -> None:
        """Reports TCP listeners that came or went."""
        self._next_poll = time.monotonic() + _POLL_S
        self.lines += self.tracker.listening(one for one in self.questions.listeners("tcp") if _of_the_phone(one))

    def owner(self, proto: str, local: End) -> int | None:
        """Who listens there now."""
        if proto == "tcp":
            self.look_for_listeners()
            heard: Iterable[tuple[End, int]] = ((end, uid) for (_, end), uid in self.tracker.heard.items())
        else:
            heard = ((one.local, one.uid) for one in self.questions.listeners("udp"))
        known = dict(heard)
        return known.get(local, known.get((_ANYWHERE, local[1])))

    def write(self) -> None:
        """Everything known since the last time, at once."""
        if not self.lines:
            return
        now = time.time_ns() // 1000
        whole = ""
        for line in self.lines:
            self._written += 1  # so that a reader knows what it has read, and whether something is missing
            self.counts[line["event"]] = self.counts.get(line["event"], 0) + 1
            whole += json.dumps({"n": self._written, "time_us": now} | line, separators=(",", ":")) + "\n"
        self.lines.clear()
        data = whole.encode()
        while data:
            data = data[os.write(1, data) :]

    def _read_packets(self) -> None:
        for message in self.packets.waiting():
            packet = logged.parse(message.body) if message.kind == logged.PACKET else None
            if packet is None:
                continue
            if packet.sequence is not None:
                missing = packet.sequence - (self._next_packet if self._next_packet is not None else packet.sequence)
                self._next_packet = packet.sequence + 1
                if missing > 0:
                    self._lost("packets", missing)
            event = self.tracker.logged(packet, self.owner)
            if event:
                self.lines.append(event)

    def _read_flows(self) -> None:
        """UDP flows that ended by lapse of time: their socket lives on, or never had them for itself."""
        for message in self.flows.waiting():
            entry = conntrack.parse_entry(message.body) if message.kind == conntrack.DESTROYED else None
            if entry is None:
                continue
            for key in (("udp", entry.source, entry.target), ("udp", entry.target, entry.source)):
                known = self.tracker.open.get(key)
                if known and known[0].inbound == (key[1] == entry.target):
                    self._counted(key, self.tracker.take(key), entry)

    def _close(self, key: Key, connection: Open, sent: int | None, received: int | None) -> None:
        if key[0] == "tcp":
            self.lines.append(closed(key, connection, sent, received))
            return
        ends = (key[2], key[1]) if connection.inbound else (key[1], key[2])
        self._counted(key, connection, self.questions.take_flow(*ends))

    def _counted(self, key: Key, connection: Open, entry: conntrack.Entry | None) -> None:
        both = (entry.sent, entry.answered) if entry else (None, None)
        sent, received = both[::-1] if connection.inbound else both
        self.lines.append(closed(key, connection, sent, received))

    def _lost(self, what: str, count: int | None) -> None:
        self.lines.append({"event": "lost", "what": what, "count": count})


def _of_the_phone(one: Heard) -> bool:
    return one.local[1] != ADB_PORT and one.local[0] != ENGINE_DNS


def main(words: list[str]) -> int:
    """The command line: runs until SIGTERM."""
    try:
        (text,) = words
        sensor = Sensor()  # it hears before the first rule logs
        signal.signal(signal.SIGTERM, sensor.stop)
        sensor.lines.append({"event": "ready", "network": set_up(Spec.from_json(text))})
    except (RuntimeError, LookupError, ValueError, TypeError, OSError) as fault:
        print(f"sensor not started: {fault}", file=sys.stderr)  # noqa: T201 - its output
        return 1
    while not sensor.stopping:
        sensor.step()
    sensor.step(0)
    sensor.lines.append({"event": "end", "counts": dict(sorted(sensor.counts.items()))})
    sensor.write()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
