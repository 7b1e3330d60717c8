"""Readers of what Android kept of the past: usage events, time per app, bytes per app. Pure, never an exception.

Like ``dumpsys.py``: phrases of Android 8 to 15 from public sources, ``None`` or nothing for what is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_ROW = re.compile(r'^\s*time="?([0-9: -]{19})"? type=(\w+) package=(\S+)(.*)$', re.MULTILINE)
_TOTAL = re.compile(r'^\s*package=(\S+) (?:totalTimeUsed|totalTime)="([0-9:]+)".*$', re.MULTILINE)
_SECTION = re.compile(
    r"^\s*(?:Detailed UID stats|UID stats):?\s*$(.*?)(?=^\s*(?:Detailed )?UID tag stats|\Z)", re.MULTILINE | re.DOTALL
)
_COUNTS = re.compile(r"\bst=(\d{1,15}) rb=(\d{1,18}) rp=(\d{1,18}) tb=(\d{1,18}) tp=(\d{1,18})\b")
_ALIAS = {"MOVE_TO_FOREGROUND": "ACTIVITY_RESUMED", "MOVE_TO_BACKGROUND": "ACTIVITY_PAUSED"}  # before Android 10


@dataclass(frozen=True)
class UsageEvent:
    """One event of ``dumpsys usagestats``, to the second."""

    time_us: int
    kind: str  # ACTIVITY_RESUMED, SCREEN_INTERACTIVE, KEYGUARD_SHOWN...; names before Android 10 are translated
    package: str
    activity: str | None


@dataclass(frozen=True)
class UsageTotal:
    """One app's time in front, of one kept interval."""

    package: str
    used_s: int
    launches: int | None


@dataclass(frozen=True)
class AppBytes:
    """One hour (or whatever the bucket is) of one uid, as netstats counts it."""

    uid: int
    foreground: bool
    start_s: int
    received_bytes: int
    received_packets: int
    sent_bytes: int
    sent_packets: int


def parse_events(text: str, utc_offset_s: int = 0) -> tuple[UsageEvent, ...]:
    """The events, in the report's order; its times are the device's local ones, so its offset from UTC is needed."""
    events = []
    for stamp, kind, package, rest in _ROW.findall(text):
        time_us = _moment(stamp, utc_offset_s)
        if time_us is not None:
            activity = re.search(r"\bclass=(\S+)", rest)
            events.append(UsageEvent(time_us, _ALIAS.get(kind, kind), package, activity[1] if activity else None))
    return tuple(events)


def parse_totals(text: str) -> tuple[UsageTotal, ...]:
    """Time per app, of every interval that the report holds (today's first)."""
    totals = []
    for match in _TOTAL.finditer(text):
        launches = re.search(r"\bappLaunchCount=(\d{1,9})\b", match[0])
        used_s = _seconds(match[2])
        if used_s is not None:
            totals.append(UsageTotal(match[1], used_s, int(launches[1]) if launches else None))
    return tuple(totals)


def last_screen(events: tuple[UsageEvent, ...]) -> bool | None:
    """Whether the screen is on, by the last event that says so."""
    return _last(events, "SCREEN_INTERACTIVE", "SCREEN_NON_INTERACTIVE")


def last_keyguard(events: tuple[UsageEvent, ...]) -> bool | None:
    """Whether the keyguard shows, by the last event that says so."""
    return _last(events, "KEYGUARD_SHOWN", "KEYGUARD_HIDDEN")


def parse_netstats(text: str) -> tuple[AppBytes, ...]:
    """Rows of ``dumpsys netstats detail``'s section of uids, whole apps only (``tag=0x0``)."""
    section = _SECTION.search(text)
    rows: list[AppBytes] = []
    owner: tuple[int, bool] | None = None
    for line in (section[1] if section else "").splitlines():
        head = re.search(r"\buid=(-?\d{1,9}) set=(\w+) tag=(0x[0-9a-f]+)", line)
        if head or "ident=" in line:
            whole = head is not None and head[3] == "0x0" and head[2] in {"DEFAULT", "FOREGROUND"}
            owner = (int(head[1]), head[2] == "FOREGROUND") if head and whole else None
        elif owner and (counts := _COUNTS.search(line)):
            rows.append(AppBytes(*owner, *map(int, counts.groups())))
    return tuple(rows)


def _last(events: tuple[UsageEvent, ...], yes: str, no: str) -> bool | None:
    said = [event for event in events if event.kind in {yes, no}]
    return max(enumerate(said), key=lambda pair: (pair[1].time_us, pair[0]))[1].kind == yes if said else None


def _moment(stamp: str, utc_offset_s: int) -> int | None:
    try:
        zone = timezone(timedelta(seconds=utc_offset_s))
        return round(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None


def _seconds(clock: str) -> int | None:
    """``[h:]mm:ss`` as DateUtils.formatElapsedTime writes it."""
    parts = clock.split(":")
    if not 1 <= len(parts) <= 3 or not all(part.isdecimal() and len(part) < 9 for part in parts):
        return None
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds
