"""An Android bug report, or the dumpsys parts of one: what was installed, and when the screen was on.

Read are the time of the report, ``dumpsys power``, ``window`` and ``deviceidle`` (the state at that time), the
battery history of ``dumpsys batterystats`` (screen and doze before it) and ``dumpsys package`` (uids of packages). The
forms come from AOSP's public sources and excerpts and promise nothing; what is not found is null, never a guess. But
times are the phone's own: without its persist.sys.timezone they are taken as UTC. The device has no name in it: see
aside.Aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from detector.imports.account import Account
from detector.imports.opened import Opened
from detector.tables import SCHEMAS

if TYPE_CHECKING:
    from detector.imports.aside import Aside

_WHEN = re.compile(r"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_ZONE = re.compile(r"\[persist\.sys\.timezone\]: \[([\w/+-]+)\]")
_START = re.compile(r"(?:RESET:)?TIME: (\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_STEP = re.compile(r"^\s*\+?(0|(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?) \(\d+\) (.*)$")
_PART = re.compile(r"(\d+)(d|h|ms|m|s)")
_UNIT_US = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_IDLE = {"full": "doze-deep", "light": "doze-light", "off": None}
_PACKAGE = re.compile(r"^\s*Package \[([\w.]+)\] \(")
_USER = re.compile(r"^\s*(?:userId|appId)=(\d+)")
_KEYGUARD = re.compile(r"(?:mShowingLockscreen|isStatusBarKeyguard|mKeyguardShowing|keyguardShowing)=(true|false)")


def read_report(log: Opened, account: Account) -> Aside:
    """The packages and device states of a report."""
    from detector.imports.aside import Aside

    text = bytes(log.data).decode("utf-8", "replace")
    zone = _zone(text)
    states, packages = [*_history(text, zone), *_now(text, zone)], _packages(text)
    account.lines = text.count("\n") + (not text.endswith("\n") and bool(text))
    account.row("device_state", len(states))
    account.row("packages", len(packages))
    account.leave("lines of a bug report that are not read", account.lines - len(states) - len(packages))
    tables = {"device_state": states, "packages": packages}
    return Aside({name: pa.Table.from_pylist(rows, SCHEMAS[name]) for name, rows in tables.items() if rows})


def _zone(text: str) -> tzinfo:
    named = _ZONE.search(text)
    try:
        return ZoneInfo(named[1]) if named else UTC
    except (LookupError, ValueError):
        return UTC


def _us(when: datetime) -> int:
    return int(when.timestamp()) * 1_000_000


def _now(text: str, zone: tzinfo) -> Iterator[dict[str, Any]]:
    """The state when the report was made; nothing where it has no time."""
    when = _WHEN.search(text)
    if when is None:
        return
    awake = re.search(r"mWakefulness=(\w+)", text)
    locked = [found == "true" for found in _KEYGUARD.findall(text)]
    deep = re.search(r"mState=(\w+)", text)
    screen = None if awake is None else awake[1] in ("Awake", "Dreaming")
    idle = "doze-deep" if deep and deep[1] == "IDLE" else "interactive" if screen else None
    made = datetime.fromisoformat(when[1]).replace(tzinfo=zone)
    yield {"time": _us(made), "screen_on": screen, "locked": any(locked) if locked else None, "power_state": idle}


def _history(text: str, zone: tzinfo) -> Iterator[dict[str, Any]]:
    """States by the battery history: each change of screen or doze, counted from its last wall-clock time."""
    base: int | None = None
    screen: bool | None = None
    idle: str | None = None
    lines = text.split("Battery History", 1)[1].split("\n") if "Battery History" in text else []
    for line in lines:
        step = _STEP.match(line)
        if step is None:
            continue
        passed = sum(int(count) * _UNIT_US[unit] for count, unit in _PART.findall(step[1]))
        start = _START.search(step[2])
        if start is not None:
            base = _us(datetime(*map(int, start.groups()), tzinfo=zone)) - passed  # type: ignore[arg-type, misc] # six numbers
        before = (screen, idle)
        for word in step[2].split():
            if word in ("+screen", "-screen"):
                screen = word[0] == "+"
            elif word.startswith("device_idle="):
                idle = _IDLE.get(word.removeprefix("device_idle="))
        if base is not None and before != (screen, idle):
            power = "interactive" if screen else idle or ("idle" if screen is False else None)
            yield {"time": base + passed, "screen_on": screen, "power_state": power}


def _packages(text: str) -> list[dict[str, Any]]:
    """Packages with their uids, each once."""
    found: dict[str, int] = {}
    name: str | None = None
    for line in text.split("\n"):
        package = _PACKAGE.match(line)
        if package is not None:
            name = package[1]
        elif name is not None and (user := _USER.match(line)) is not None:
            found.setdefault(name, int(user[1]))
            name = None
    return [{"package": package, "uid": uid, "roles": []} for package, uid in found.items()]
