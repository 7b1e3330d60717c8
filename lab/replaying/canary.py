"""Whether an installed sensor still alerts: what it writes is watched while something it must alert on is replayed.

Its file is either findings.jsonl of schema version 1 or Suricata's EVE JSON. Only lines written after the check began
count, and only alerts about who was replayed: an old one, or one about somebody else, proves nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import PrerequisiteError

LOOK_S = 0.05  # between two looks at the file
_LONGEST = 16 << 20  # bytes of one line; more is no line


@dataclass(frozen=True)
class Alert:
    """An alert of a sensor: what it is called, and whom it names."""

    what: str
    whom: tuple[str, ...]


@dataclass
class Watch:
    """A file that a sensor appends to, from its present end on; a file that replaces it is read from its start."""

    path: Path
    _place: int = field(init=False, default=0)
    _file: int = field(init=False, default=-1)  # its inode; -1: not there yet
    _rest: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        if not self.path.parent.is_dir():
            raise PrerequisiteError(f"{self.path}: its folder does not exist; is this where the sensor writes?")
        if self.path.is_dir():
            raise PrerequisiteError(f"{self.path}: found a folder, expected findings.jsonl or eve.json")
        found = self._status()
        if found:
            self._file, self._place = found.st_ino, found.st_size

    def lines(self) -> list[bytes]:
        """The whole lines written since the last look."""
        found = self._status()
        if not found:
            return []
        if found.st_ino != self._file or found.st_size < self._place:  # rotated, or cut
            self._file, self._place, self._rest = found.st_ino, 0, b""
        with self.path.open("rb") as file:
            file.seek(self._place)
            text = file.read()
        self._place += len(text)
        *whole, self._rest = (self._rest + text).split(b"\n")
        self._rest = self._rest[-_LONGEST:]
        return whole

    def _status(self) -> os.stat_result | None:
        try:
            return self.path.stat()
        except FileNotFoundError:
            return None


@dataclass(frozen=True)
class Heard:
    """What came of one check; ``after_s`` is how long after the last frame the alert was there, None: never."""

    alert: Alert | None
    after_s: float | None
    lines: int  # that the sensor wrote meanwhile
    others: int  # alerts among them about somebody else, or not of the kind that was asked for

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "alerted": self.alert is not None,
            "alert": self.alert.what if self.alert else None,
            "whom": list(self.alert.whom) if self.alert else [],
            "after_s": self.after_s,
            "lines": self.lines,
            "other_alerts": self.others,
        }


def alert_of(line: bytes) -> Alert | None:
    """The alert that a line of findings.jsonl or EVE JSON tells; None if it tells none.

    >>> alert_of(b'{"event_type": "alert", "src_ip": "10.88.0.2", "alert": {"signature": "x"}}')
    Alert(what='x', whom=('10.88.0.2',))
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    if row.get("event_type") == "alert" and isinstance(row.get("alert"), dict):
        whom = (str(row[key]) for key in ("src_ip", "dest_ip") if row.get(key))
        return Alert(str(row["alert"].get("signature", "")), tuple(whom))
    if row.get("alert") is True and "analytic" in row:
        return Alert(str(row["analytic"]), tuple(str(row[key]) for key in ("device",) if row.get(key)))
    return None


def check(
    watch: Watch, whom: Collection[str], play: Callable[[], object], *, within_s: float, matching: str = ""
) -> Heard:
    """Plays, and waits so long after the last frame for an alert whose every party is one of ``whom``.

    ``matching`` is a part of what the alert is called.
    """
    play()
    began, lines, others = time.monotonic(), 0, 0
    while True:
        for line in watch.lines():
            lines += 1
            alert = alert_of(line)
            if alert and alert.whom and set(alert.whom) <= set(whom) and matching in alert.what:
                return Heard(alert, round(time.monotonic() - began, 3), lines, others)
            others += alert is not None
        if time.monotonic() - began > within_s:
            return Heard(None, None, lines, others)
        time.sleep(LOOK_S)
