"""Readers of Android's own reports on its present state: text in, small values out. Pure, and never an exception.

The formats differ by version and vendor and promise nothing, so every reader looks for single phrases, takes all the
forms known of Android 8 to 15, and says ``None`` for what it does not find: never a guess. The forms come from AOSP's
public sources and published excerpts; none was captured by us from a real phone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

AWAKE, ASLEEP, DOZING, DREAMING = "Awake", "Asleep", "Dozing", "Dreaming"
_PACKAGE = r"[A-Za-z][\w]*(?:\.\w+)*"


@dataclass(frozen=True)
class Power:
    """``dumpsys power``. Ages are milliseconds before the report."""

    wakefulness: str | None  # Awake | Asleep | Dozing | Dreaming
    display_on: bool | None
    activity_age_ms: int | None  # since the last user activity
    woke_age_ms: int | None
    slept_age_ms: int | None

    @property
    def screen_on(self) -> bool | None:
        """Wakefulness first: newer releases print an object where the display's state was."""
        return self.wakefulness in {AWAKE, DREAMING} if self.wakefulness else self.display_on


@dataclass(frozen=True)
class Window:
    """``dumpsys window`` or ``dumpsys window policy``."""

    keyguard: bool | None  # any of the flags that say so; None: no flag at all
    focus: str | None  # the package in mCurrentFocus


@dataclass(frozen=True)
class Activities:
    """``dumpsys activity activities``."""

    resumed: str | None  # package of the resumed activity
    keyguard: bool | None
    said: bool  # whether the report names a resumed activity, even if it is null


@dataclass(frozen=True)
class Process:
    """One line of ``dumpsys activity processes`` or ``o``."""

    pid: int
    name: str
    user: str  # u0a93, 1000...
    state: str | None  # TOP, FGS, CAC...
    reason: str


@dataclass(frozen=True)
class DeviceIdle:
    """``dumpsys deviceidle``."""

    deep: str | None  # ACTIVE, INACTIVE, IDLE_PENDING, SENSING, LOCATING, IDLE, IDLE_MAINTENANCE...
    light: str | None  # ACTIVE, INACTIVE, PRE_IDLE, IDLE, WAITING_FOR_NETWORK, IDLE_MAINTENANCE, OVERRIDE
    forced: bool | None
    screen_on: bool | None
    charging: bool | None


@dataclass(frozen=True)
class Connectivity:
    """``dumpsys connectivity``."""

    default_network: int | None
    transports: tuple[str, ...]  # of the default network where it can be told, else of the first one listed
    validated: bool | None
    vpn_owner_uid: int | None


def parse_power(text: str) -> Power:
    """Android 8-15; ``lastUserActivityTime`` moved into display groups with 12."""
    display = re.search(r"^\s*Display Power: state=(\w+)", text, re.MULTILINE)
    ages = [_age(text, "mLastUserActivityTime"), _age(text, "lastUserActivityTime")]
    return Power(
        wakefulness=_word(text, r"^\s*mWakefulness=(Awake|Asleep|Dozing|Dreaming)\b"),
        display_on=display[1].startswith(("ON", "VR")) if display else None,
        activity_age_ms=min((age for age in ages if age is not None), default=None),
        woke_age_ms=_age(text, "mLastWakeTime"),
        slept_age_ms=_age(text, "mLastSleepTime"),
    )


def parse_window(text: str) -> Window:
    """Keys differ by version, so one true flag is enough; ``mDreamingLockscreen`` (a dream over it) counts."""
    flags = re.findall(
        r"(?:^|[\s{])(?:showing|mIsShowing|isKeyguardShowing|mDreamingLockscreen|mShowingLockscreen)=(true|false)\b",
        text,
    )
    focus = _word(text, rf"mCurrentFocus=Window\{{\S+ (?:u\d+ )?({_PACKAGE})/")
    return Window("true" in flags if flags else None, focus)


def parse_activities(text: str) -> Activities:
    """``topResumedActivity`` (10+), ``ResumedActivity`` and ``mResumedActivity`` (before)."""
    lines = re.findall(r"^\s*(?:top|m)?ResumedActivity[=:]\s*(\S.*)$", text, re.MULTILINE)
    packages = [match[1] for line in lines if (match := re.search(rf"\bu\d+ ({_PACKAGE})/", line))]
    return Activities(packages[0] if packages else None, _flag(text, "mKeyguardShowing"), bool(lines))


def parse_processes(text: str) -> tuple[Process, ...]:
    """Lines ``PERS #n: adj ... T/A/TOP flags t: 0 pid:name/user (reason)``; short forms have no state."""
    rows = []
    for line in re.findall(r"^\s*(?:Proc|PERS|Persistent)\s+#\s*\d+:(.*)$", text, re.MULTILINE):
        match = re.search(r"\s(\d{1,9}):(\S+)/(\w+)\s+\((.*)\)", line)
        if match:
            state = re.search(r"\s\S?\s*/\s*\S?\s*/\s*([A-Z]{2,5})\b", line[: match.start()])
            rows.append(Process(int(match[1]), match[2], match[3], state[1] if state else None, match[4]))
    return tuple(rows)


def parse_deviceidle(text: str) -> DeviceIdle:
    """Both states stand in one line or in two."""
    return DeviceIdle(
        deep=_word(text, r"\bmState=([A-Z_]+)"),
        light=_word(text, r"\bmLightState=([A-Z_]+)"),
        forced=_flag(text, "mForceIdle"),
        screen_on=_flag(text, "mScreenOn"),
        charging=_flag(text, "mCharging"),
    )


def power_state(idle: DeviceIdle, *, screen_on: bool | None) -> str | None:
    """One of ``lab.timeline.POWER_STATES``, or ``None`` where neither the screen nor the controller says anything."""
    if screen_on:
        return "interactive"
    if "IDLE_MAINTENANCE" in {idle.deep, idle.light}:
        return "maintenance"
    if idle.deep == "IDLE":
        return "doze-deep"
    if idle.light in {"IDLE", "WAITING_FOR_NETWORK"}:
        return "doze-light"
    known = screen_on is not None or idle.deep is not None or idle.light is not None
    return "idle" if known else None


def parse_connectivity(text: str) -> Connectivity:
    """The agent of the default network; how its lines wrap varies, so one agent reaches to the next."""
    default = _number(text, r"^Active default network: (\d{1,9})")
    agents = re.split(r"NetworkAgentInfo\s*[\[{]", text)[1:]
    chosen = next((agent for agent in agents if re.match(rf"\D*\b{default}\b", agent)), agents[0] if agents else "")
    transports = re.search(r"Transports:\s*([A-Z_|&]+)", chosen)
    owners = [_number(agent, r"OwnerUid:\s*(\d{1,9})") for agent in agents if re.search(r"Transports:[^\]]*VPN", agent)]
    return Connectivity(
        default_network=default,
        transports=tuple(re.split(r"[|&]", transports[1])) if transports else (),
        validated=bool(re.search(r"\bVALIDATED\b", chosen)) if transports else None,
        vpn_owner_uid=next((owner for owner in owners if owner is not None), None),
    )


def parse_packages(text: str) -> tuple[tuple[str, int], ...]:
    """``pm list packages -U [--user all]``: (package, uid), once per uid. Several users: uids joined by commas."""
    rows = re.findall(r"^package:(\S+)\s+uid:(\d{1,9}(?:,\d{1,9})*)", text, re.MULTILINE)
    return tuple(dict.fromkeys((package, int(uid)) for package, uids in rows for uid in uids.split(",")))


def parse_properties(text: str) -> dict[str, str]:
    """``getprop``: lines ``[key]: [value]``; a value may have several lines."""
    found = re.findall(r"^\[([^\]\n]+)\]: \[(.*?)\]\r?$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def _word(text: str, pattern: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else None


def _number(text: str, pattern: str) -> int | None:
    word = _word(text, pattern)
    return int(word) if word is not None else None


def _flag(text: str, name: str) -> bool | None:
    word = _word(text, rf"\b{name}=(true|false)\b")
    return word == "true" if word else None


def _age(text: str, name: str) -> int | None:
    """The smallest ``name=N (M ms ago)``: display groups have one each."""
    ages = re.findall(rf"\b{name}=\d+ \((\d{{1,15}}) ms ago\)", text)
    return min(map(int, ages), default=None)
