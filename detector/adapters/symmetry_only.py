"""The control that knows only how much goes each way: an app that sends what it receives, whenever and to whomever.

Formula: detector/rivals/symmetry.py; it alerts from four fifths on (nobody publishes a bound). A relay detector is
worth what it is better than this. Raised wrongly by calls, games, WebRTC, file sync, and by VPN, tethering and casting,
which are relays. Blind to a relay that is a small part of what its app, or under a view without apps its device,
carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detector.columns import NULL, Codes, codes, whole
from detector.contract import Detector, Finding, Reason, Telemetry
from detector.rivals.gate import Gate, gate_word
from detector.rivals.pairs import Who
from detector.rivals.symmetry import WINDOW_US, Balances, balances
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Rated, Report, closing
from detector.signature import Signature

BAR = Bar(0.8, 1.0)


@dataclass
class SymmetryOnly(Barred):
    """Scores of AN1702 by (device, app), or by device where apps are unknown. It decides when the half hour is over."""

    analytic: ClassVar[str] = "AN1702"
    name: str = "symmetry-only"
    version: str = "1"
    needs: tuple[str, ...] = ("flows",)
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1702 where there are flows."""
        return ("AN1702",) if "flows" in telemetry else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per app from half the bound on; Unsupported without flows."""
        flows = telemetry["flows"]
        found, rows = balances(flows, telemetry.tables.get("exchanges"), telemetry.span[0])
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        device, package = (
            Codes(column.code[rows], column.texts) for column in (codes(flows["device"]), codes(flows["package"]))
        )
        nobody = Codes(np.full(len(rows), NULL, np.int64), [])
        report = Report(
            "AN1702",
            Who(device, whole(flows["uid"])[rows], package, nobody),
            by,
            self.bar,
            Gate(telemetry, self.gated).of_apps(rows),
        )
        for one in report.decided(judge(found, telemetry)):
            received, sent = int(found.received[one.window]), int(found.sent[one.window])
            text = f"{received} bytes received and {sent} sent in one half hour"
            yield report.finding(one, (Reason("symmetry", one.score, "below 0.8", 1.0, text),), None)


def judge(found: Balances, telemetry: Telemetry) -> Rated:
    """The raw scores of every app's half hours, 0..1."""
    end = closing(found.window, telemetry.span[0], WINDOW_US, telemetry.span)
    return Rated(found.app, found.score, found.first, found.last, np.maximum(end, found.last))


def create(argument: str) -> Detector:
    """The detector of symmetry alone; LookupError if given another argument than a threshold and ``gate``."""
    rest, gated = gate_word(argument)
    rest, bar = bar_word(rest, BAR, "symmetry-only")
    if rest:
        expected = "none, 'threshold=T', 'gate' or both with a comma"
        raise LookupError(f"detector symmetry-only: found the argument '{argument}', expected {expected}")
    return SymmetryOnly(name=f"symmetry-only:{argument}" if argument else "symmetry-only", gated=gated, bar=bar)
