"""A periodogram after BAYWATCH (DSN 2016): each device's and destination's day, held against chance.

Formula, and what of BAYWATCH is left out: detector/rivals/spectrum.py. It alerts where a period is stronger than in all
19 permutations of the day, drawn as far as needed, and verified on the autocorrelation. Raised wrongly by every honest
timer, and by bursts with a habit. Blind to jitter that adds up (a sleep after each poll): the phase is gone after a few
dozen, and with it the line; to fewer than eight connections a day, to periods below some 20 s and to the inside of a
long flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.contract import Detector, Finding, Reason, Telemetry
from detector.rivals.gate import Gate, gate_word
from detector.rivals.pairs import Pairs, by_best_name, host_pairs
from detector.rivals.spectrum import PERMUTATIONS, Spectra, spectra
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Rated, Report, closing, spans
from detector.signature import Signature

DAY_US = 86_400_000_000
BAR = Bar(0.5, 1.0)


@dataclass
class Baywatch(Barred):
    """Scores of AN1793 by (device, destination). It decides when the day it looks at is over."""

    name: str = "baywatch"
    version: str = "2"
    needs: tuple[str, ...] = ("flows",)
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1793 where there are flows."""
        return ("AN1793",) if "flows" in telemetry else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per pair with a period beyond chance; Unsupported without flows."""
        pairs = host_pairs(telemetry, by_best_name)
        rated, found = judge(pairs, telemetry)
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        report = Report(
            "AN1793",
            pairs.who,
            by,
            self.bar,
            Gate(telemetry, self.gated).of_rows(pairs.group, pairs.row, len(pairs.who)),
        )
        for one in report.decided(rated):
            yield report.finding(one, _reasons(found, one.window), pairs.who.peer.text(one.owner))


def judge(pairs: Pairs, telemetry: Telemetry) -> tuple[Rated, Spectra]:
    """The raw scores of every pair's days, 0..1, and what they are made of."""
    begin = telemetry.span[0]
    days = pairs.windows(begin, DAY_US)
    names = (
        f"{pairs.who.device.text(owner)} {pairs.who.peer.text(owner)} {day}"
        for owner, day in zip(days.owner.tolist(), days.number.tolist(), strict=True)
    )
    found = spectra(pairs.start, days.edges, list(names))
    first, last = spans(days.edges, pairs.start)
    end = np.maximum(closing(days.number, begin, DAY_US, telemetry.span), last)
    return Rated(days.owner, found.score, first, last, end), found


def _reasons(found: Spectra, window: int) -> tuple[Reason, ...]:
    power, hill, period = float(found.power[window]), float(found.hill[window]), float(found.period_s[window])
    return (
        Reason(
            "power",
            power,
            "1 or less",
            0.5,
            f"the strongest period is {power:.1f} times what chance, of 1 in {PERMUTATIONS + 1}, makes of the same day",
        ),
        Reason("autocorrelation", hill, "0", 0.5, f"connections come again {period:.0f} s later, {hill:.2f} of them"),
    )


def create(argument: str) -> Detector:
    """The periodogram; LookupError if given another argument than a threshold and ``gate``."""
    rest, gated = gate_word(argument)
    rest, bar = bar_word(rest, BAR, "baywatch")
    if rest:
        expected = "none, 'threshold=T', 'gate' or both with a comma"
        raise LookupError(f"detector baywatch: found the argument '{argument}', expected {expected}")
    return Baywatch(name=f"baywatch:{argument}" if argument else "baywatch", gated=gated, bar=bar)
