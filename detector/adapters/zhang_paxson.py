"""Zhang and Paxson's stepping stones (2000): an app's anchor flow and its other flows end their silences together.

Formula, and what a pair of flows is on a phone: detector/rivals/off_periods.py. It alerts where, within half an hour,
0.3 of the ends of OFF periods come within 80 ms, two in a row. Raised wrongly by whatever fetches when it is pushed,
and by an app that opens several flows at once. Blind to a relay that takes longer than 80 ms to pass a request on, or
that never falls silent; gaps inside one exchange are not to be seen in these tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detector.columns import NULL, Codes, codes, whole
from detector.contract import Detector, Finding, Reason, Telemetry
from detector.rivals.gate import Gate, gate_word
from detector.rivals.off_periods import SHARE, WINDOW_US, Pairings, off_ends, pairings
from detector.rivals.pairs import Who
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Rated, Report, closing
from detector.signature import Signature

BAR = Bar(SHARE, 1.0)


@dataclass
class ZhangPaxson(Barred):
    """Scores of AN1702 by (device, app), or by device where apps are unknown. It decides when the half hour is over."""

    analytic: ClassVar[str] = "AN1702"
    name: str = "zhang-paxson"
    version: str = "1"
    needs: tuple[str, ...] = ("flows", "exchanges")
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1702 where there are flows and what was exchanged in them: the start of a flow alone is no OFF period."""
        return ("AN1702",) if "flows" in telemetry and "exchanges" in telemetry else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per app from half the share on; Unsupported without flows or exchanges."""
        flows = telemetry["flows"]
        ends, rows = off_ends(flows, telemetry["exchanges"])
        paired = pairings(ends, telemetry.span[0])
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
        for one in report.decided(judge(paired, telemetry)):
            yield report.finding(one, _reasons(paired, one.window), None)


def judge(paired: Pairings, telemetry: Telemetry) -> Rated:
    """The raw scores of every anchor's half hours, 0..1."""
    end = closing(paired.window, telemetry.span[0], WINDOW_US, telemetry.span)
    return Rated(paired.app, paired.score, paired.first, paired.last, np.maximum(end, paired.last))


def _reasons(paired: Pairings, window: int) -> tuple[Reason, ...]:
    together, own, others = (int(part[window]) for part in (paired.together, paired.own, paired.others))
    text = f"{together} of {own} silences of one flow end within 80 ms of another flow's; the others end {others}"
    row = int(paired.in_a_row[window])
    return (
        Reason("off_periods_together", float(paired.share[window]), f"below {SHARE}", 1.0, text),
        Reason("in_a_row", float(row), "below 2", 0.0, "coincidences one after the other, 2 meaning two or more"),
    )


def create(argument: str) -> Detector:
    """The correlation of OFF periods; LookupError if given another argument than a threshold and ``gate``."""
    rest, gated = gate_word(argument)
    rest, bar = bar_word(rest, BAR, "zhang-paxson")
    if rest:
        expected = "none, 'threshold=T', 'gate' or both with a comma"
        raise LookupError(f"detector zhang-paxson: found the argument '{argument}', expected {expected}")
    return ZhangPaxson(name=f"zhang-paxson:{argument}" if argument else "zhang-paxson", gated=gated, bar=bar)
