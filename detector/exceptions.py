"""Documented exceptions: findings that somebody answers for, with a reason and until a day.

Rules: applied to findings after detection, so no detector knows of them. Nothing is dropped and no score is changed: a
finding that is covered is informational, is no alert, and says by whose word. An exception without owner, reason or
expiry is none. Dates are held against the finding's own times, never against a clock: the same telemetry gives the same
findings whenever it is judged.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Any

from detector.contract import ANALYTICS, Finding, Reason, Telemetry
from detector.destinations import registrable
from detector.inventory import Inventory, read_inventory

REQUIRED = ("owner", "reason", "expires")
PATTERNS = ("device", "package", "role", "destination")
KEYS = (*REQUIRED, *PATTERNS, "analytic")
EXPECTED = "expected a TOML file of [[exception]] tables, each with owner, reason, expires and a pattern"

_HEADER = re.compile(r"\s*\[\[\s*exception\s*\]\]")


@dataclass(frozen=True)
class Excepted:
    """One exception. Patterns are shell globs (``*``, ``?``, ``[...]``), None where anything is covered.

    A pattern covers only what the sensor shows: without a package, a package pattern covers nothing, not even ``*``.
    """

    number: int  # in the file, from 1 on
    owner: str
    reason: str
    expires: date  # the last day, UTC, on which it holds
    device: str | None = None
    package: str | None = None
    role: str | None = None
    destination: str | None = None
    analytic: str | None = None

    def covers(self, finding: Finding, roles: Iterable[str]) -> bool:
        """Whether the finding, of an app with these roles, is what the exception is about, expired or not."""
        peers = () if finding.peer is None else (finding.peer, registrable(finding.peer))
        return (
            self.analytic in (None, finding.analytic)
            and _matched(self._globs.get("device"), (finding.device,))
            and _matched(self._globs.get("package"), () if finding.package is None else (finding.package,))
            and _matched(self._globs.get("role"), roles)
            and _matched(self._globs.get("destination"), peers)
        )

    def holds(self, finding: Finding) -> bool:
        """Whether it had not expired: the finding's last contact lies on the last day, UTC, or before."""
        return datetime.fromtimestamp(finding.last_seen / 1e6, UTC).date() <= self.expires

    def told(self) -> str:
        """Who answers for it, why and until when, in a line."""
        return f"{self.reason} (owner {self.owner}, expires {self.expires.isoformat()})"

    @cached_property
    def _globs(self) -> Mapping[str, re.Pattern[str]]:
        given = {name: getattr(self, name) for name in PATTERNS}
        return {name: re.compile(translate(glob.lower())) for name, glob in given.items() if glob is not None}


@dataclass(frozen=True)
class Exceptions:
    """All exceptions of one file, in its order."""

    name: str
    entries: tuple[Excepted, ...]

    def applied(self, findings: Iterable[Finding], telemetry: Telemetry) -> Applied:
        """The same findings in the same order, those covered made informational and no alert; which took part in it.

        The first exception that covers a finding and holds counts. Where only expired ones cover it, it stays as it
        is, with a reason that says so.
        """
        inventory = read_inventory(telemetry.tables.get("packages"))
        used, expired = [0] * len(self.entries), [0] * len(self.entries)
        result = []
        for finding in findings:
            roles = _roles(finding, inventory)
            covering = [one for one in self.entries if one.covers(finding, roles)]
            holding = [one for one in covering if one.holds(finding)]
            for one in holding[:1]:
                used[one.number - 1] += 1
            for one in () if holding else covering:
                expired[one.number - 1] += 1
            result.append(_excused(finding, holding[0]) if holding else _unexcused(finding, covering))
        return Applied(self, tuple(result), tuple(used), tuple(expired))


@dataclass(frozen=True)
class Applied:
    """Findings after the exceptions, and how many each one covered, in time (``used``) and too late (``expired``)."""

    exceptions: Exceptions
    findings: tuple[Finding, ...]
    used: tuple[int, ...]
    expired: tuple[int, ...]

    def told(self) -> list[str]:
        """One line on what was covered, one per exception that had expired."""
        entries, name = self.exceptions.entries, self.exceptions.name
        idle = sum(not used and not late for used, late in zip(self.used, self.expired, strict=True))
        counts = f"covered {sum(self.used)} of {len(self.findings)} findings; {idle} of {len(entries)} covered nothing"
        lines = [f"{name}: exceptions {counts}"]
        lines += [
            f"{name}: exception {one.number} has expired; it would have covered {late}: {one.told()}"
            for one, late in zip(entries, self.expired, strict=True)
            if late
        ]
        return lines


def read_exceptions(path: Path) -> Exceptions:
    """The exceptions of a TOML file; LookupError (exit 2) lists every fault with line, found and expected."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as fault:
        raise LookupError(f"exceptions: found no readable file {path} ({fault.strerror}), {EXPECTED}") from None
    except (ValueError, RecursionError) as fault:  # not UTF-8, no TOML, or no path
        raise LookupError(f"exceptions: {path}: found no TOML ({fault}), {EXPECTED}") from None
    rows = document.get("exception")
    faults = [f"{path}: found the unknown key '{key}', {EXPECTED}" for key in document if key != "exception"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{path}: found no [[exception]], {EXPECTED}")
        rows = []
    lines = _Lines(text, len(rows))
    for number, row in enumerate(rows, 1):
        faults += [f"{path}{lines.of(number, key)}: exception {number}: {key}: {fault}" for key, fault in _faults(row)]
    if faults:
        raise LookupError("\n".join(faults))
    return Exceptions(path.name, tuple(Excepted(number, **row) for number, row in enumerate(rows, 1)))


def _faults(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with one exception: key, and found and expected."""
    faults = [(key, f"found an unknown key, expected one of {', '.join(KEYS)}") for key in row if key not in KEYS]
    for key in KEYS:
        value = row.get(key)
        if value is None and key not in REQUIRED:
            continue
        found = "nothing" if value is None else repr(value)
        if key == "expires":
            if type(value) is not date:
                faults.append((key, f"found {found}, expected a date without quotes such as 2027-01-31"))
        elif not isinstance(value, str) or not value.strip():
            faults.append((key, f"found {found}, expected text"))
        elif key == "analytic" and value not in ANALYTICS:
            faults.append((key, f"found {found}, expected one of {', '.join(ANALYTICS)}"))
    if not any(key in row for key in PATTERNS):
        faults.append((PATTERNS[0], f"found no pattern, expected one or more of {', '.join(PATTERNS)}"))
    if row.get("analytic") == "AN1702" and "destination" in row:
        faults.append(("destination", "found one for AN1702, expected none: a relay's finding names no destination"))
    return faults


@dataclass(frozen=True)
class _Lines:
    """Where in a file its exceptions and their keys stand."""

    text: str
    count: int

    @cached_property
    def _heads(self) -> Sequence[int]:
        """The lines of the [[exception]] headers; none where they cannot be told apart from what looks like one."""
        heads = [number for number, line in enumerate(self.text.splitlines()) if _HEADER.match(line)]
        return heads if len(heads) == self.count else ()

    def of(self, number: int, key: str) -> str:
        """``:LINE`` of a key of that exception, else of its header; empty where no line is known."""
        if not self._heads:
            return ""
        lines = self.text.splitlines()
        begin = self._heads[number - 1]
        end = self._heads[number] if number < self.count else len(lines)
        named = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        at = next((line for line in range(begin + 1, end) if named.match(lines[line])), begin)
        return f":{at + 1}"


def _matched(glob: re.Pattern[str] | None, texts: Iterable[str]) -> bool:
    return glob is None or any(glob.match(text.rstrip(".").lower()) for text in texts)


def _roles(finding: Finding, inventory: Inventory) -> frozenset[str]:
    app = inventory.find(finding.device, finding.uid, finding.package)
    return app.roles if app else frozenset()


def _excused(finding: Finding, one: Excepted) -> Finding:
    text = f"informational only, documented exception {one.number}: {one.told()}"
    why = Reason("exception", one.owner, "absent", 0.0, text)
    return replace(finding, alert=False, severity="informational", reasons=(*finding.reasons, why))


def _unexcused(finding: Finding, expired: Sequence[Excepted]) -> Finding:
    reasons = tuple(
        Reason("exception_expired", one.owner, "absent", 0.0, f"exception {one.number} no longer applies: {one.told()}")
        for one in expired
    )
    return replace(finding, reasons=finding.reasons + reasons) if reasons else finding
