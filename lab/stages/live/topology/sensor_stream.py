"""A sensor's lines, followed over the engine in a thread: each line once, in order, or it is said what is missing.

Every line has a number. A lost connection is taken up again and what had been read already is skipped; a gap in the
numbers, a ``lost`` line of the sensor and its death before its ``end`` line are faults of the recording.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lab.errors import StageError
from lab.stages.live.engine.engine import FAULTS, told

Event = dict[str, Any]
_RETRY_S = 0.2
_TRIES = 25
_STOP_S = 10  # then the engine kills it, and its last lines are lost: a busy machine may take seconds


class SensorStream:
    """Calls ``on_event`` in a thread of its own with each event of a sensor's container (the SDK's ``Container``)."""

    def __init__(self, sensor: Any, on_event: Callable[[Event], None]) -> None:
        self.faults: list[str] = []
        self.ready: Event | None = None
        self._sensor = sensor
        self._on_event = on_event
        self._read = 0
        self._time_s = 0
        self._ended = False
        self._stopping = threading.Event()
        self._is_ready = threading.Event()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._follow, name=f"follow {sensor.name}", daemon=True)

    def start(self, timeout_s: float = 30.0) -> Event:
        """Begins, and waits until the sensor is ready: its first event. StageError, with what it said, if it is not."""
        self._thread.start()
        self._is_ready.wait(timeout_s)
        if self.ready is None:
            self._hang_up()
            raise StageError(f"{self._sensor.name}: not ready after {timeout_s:g} s: {self._said()}")
        return self.ready

    def finish(self, timeout_s: float = 10.0) -> list[str]:
        """Stops the sensor, reads what it still has to say; the faults. Its container is left for the sweep."""
        try:
            self._sensor.stop(timeout=_STOP_S)
        except FAULTS as fault:
            self.faults.append(f"{self._sensor.name}: cannot be stopped: {told(fault)}")
        self._thread.join(timeout_s)
        self._hang_up()
        self._thread.join(1.0)
        if not self._ended and not self.faults:
            self.faults.append(f"{self._sensor.name}: its last line was not read within {timeout_s:g} s")
        return self.faults

    def _hang_up(self) -> None:
        self._stopping.set()
        if self._stream is not None:
            self._stream.close()

    def _follow(self) -> None:
        """Reads until the sensor's last line, its death, or the order to stop."""
        tries = 0
        while not self._stopping.is_set() and not self._ended and tries < _TRIES:
            before = self._read
            fault = self._read_once()
            tries = 0 if self._read > before else tries + 1
            if self._ended or self._stopping.is_set():
                break
            if not self._runs():
                self._drained_or_dead()
                break
            if tries == _TRIES:
                self.faults.append(f"{self._sensor.name}: cannot be followed: {fault}")
            self._stopping.wait(_RETRY_S)
        self._is_ready.set()

    def _read_once(self) -> str:
        """Follows one connection to its end; why it ended."""
        try:
            self._stream = self._sensor.logs(stream=True, follow=True, stderr=False, since=max(1, self._time_s - 1))
            for line in lines(self._stream):
                self._take(line)
        except FAULTS as fault:
            return told(fault)
        except (OSError, ValueError) as fault:  # the connection, or a stream closed under the reader
            return str(fault)
        return "the stream ended"

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            number, time_us = int(event["n"]), int(event["time_us"])
        except (ValueError, KeyError, TypeError):
            self.faults.append(f"{self._sensor.name}: said {line[:200]!r}")
            return
        if number <= self._read:
            return
        if number > self._read + 1:
            self.faults.append(f"{self._sensor.name}: lines {self._read + 1} to {number - 1} are missing")
        self._read, self._time_s = number, time_us // 1_000_000
        kind = event.get("event")
        if kind == "lost":
            self.faults.append(
                f"{self._sensor.name}: the kernel left out {event.get('count') or 'some'} {event['what']}"
            )
        self._ended = kind == "end"
        self._on_event(event)
        if kind == "ready":
            self.ready = event
            self._is_ready.set()

    def _runs(self) -> bool:
        try:
            self._sensor.reload()
        except FAULTS:
            return False
        return str(self._sensor.status) in {"running", "created", "paused"}

    def _drained_or_dead(self) -> None:
        """Reads once more what a dead container has left behind, and says that it died if its last line is absent."""
        self._read_once()
        if not self._ended:
            self.faults.append(f"{self._sensor.name}: died: {self._said()}")

    def _said(self) -> str:
        try:
            return str(self._sensor.logs(stdout=False, tail=5).decode(errors="replace").strip() or "nothing")
        except FAULTS as fault:
            return told(fault)


def lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines of a stream that is cut anywhere; an unfinished one at its end is not given."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
