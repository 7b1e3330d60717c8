"""RITA's CSV, as `rita view --stdout` prints it (version 5): verdicts about a source and a destination.

Column names are from memory (RITA v5, viewer/csv.go), as are those of version 4 (`rita show-beacons`), and columns that
are not asked for may be there or not. RITA judges command and control alone, so a row is about AN1793.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from detector.elsewhere.pairs import Verdict
from detector.junk import JunkError

SOURCE, PEERS = ("Source IP",), ("FQDN", "Destination IP", "Domain")
SCORES = ("Beacon Score", "C2 Over DNS Score", "Long Connection Score", "Score")
#: RITA's words, and the severity of a finding; from Medium on a row is an alert, below it a near miss.
SEVERITIES = {"critical": "high", "high": "high", "medium": "medium", "low": "low", "none": "informational"}
ALERTING = ("high", "medium")
UNSAID = 0.7  # the score from which a row without a word for its severity is an alert: RITA's own High


def verdicts(lines: Iterable[bytes]) -> Iterator[Verdict]:
    """The verdict of each row; JunkError with line, column, found and expected."""
    rows = csv.reader((line.decode("utf-8-sig", "replace") for line in lines), strict=True)
    header: list[str] = []
    try:
        for row in rows:
            if not any(row):
                continue
            if not header:
                header = [name.strip() for name in row]
                _check(header)
                continue
            if len(row) != len(header):
                raise JunkError(
                    f"line {rows.line_num}: found {len(row)} fields, expected {len(header)} as in the header"
                )
            yield _verdict(rows.line_num, dict(zip(header, (text.strip() for text in row), strict=True)))
    except csv.Error as fault:
        raise JunkError(f"line {rows.line_num}: found no CSV ({fault}), expected RITA's") from None


def _check(header: list[str]) -> None:
    lacking = [names for names in (SOURCE, PEERS, SCORES) if not set(names) & set(header)]
    if lacking:
        raise JunkError(f"line 1: found columns {', '.join(header)}, expected {' or '.join(lacking[0])} among them")


def _verdict(number: int, row: dict[str, str]) -> Verdict:
    peer = next((row[name] for name in PEERS if row.get(name) not in (None, "", "-")), "")
    host = row["Source IP"]
    if not host or not peer:
        raise JunkError(f"line {number}: found source {host!r} and destination {peer!r}, expected both")
    scores = {name: _share(number, name, row[name]) for name in SCORES if row.get(name)}
    best = max(scores, key=lambda name: scores[name], default="Score")
    score = scores.get(best, 0.0)
    word = row.get("Severity", "").lower()
    severity = SEVERITIES.get(word, "medium" if score >= UNSAID else "low")
    text = f"RITA: {best} {score:g}" + (f", severity {row['Severity']}" if word else "")
    return Verdict(host, peer, None, score, severity, severity in ALERTING, best, text)


def _share(number: int, name: str, text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise JunkError(f"line {number}: {name}: found {text!r}, expected 0 to 1, or a percentage")
    return value
