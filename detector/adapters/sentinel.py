"""Microsoft Sentinel's rule "potential beaconing detected": one interval over and over, hour by hour, device and port.

Formula and bounds: detector/rivals/repeated_delta.py. It alerts where the rule fires: more than 30 intervals above 25 s
in a clock hour, the most frequent more than 25 times and more than 80 % of them. Periods of about 26 to 115 s without
jitter are all that it can see; it is blind to the rest. Raised wrongly by heartbeats and tickers of such periods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.contract import Detector, Finding, Reason, Telemetry
from detector.rivals.gate import Gate, gate_word
from detector.rivals.pairs import Pairs, by_port, host_pairs
from detector.rivals.repeated_delta import HOUR_US, SHARE_ABOVE, RepeatedDeltas, repeated_deltas
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Rated, Report, closing
from detector.signature import Signature

BAR = Bar(float(np.nextafter(SHARE_ABOVE, 1)), 1.0)  # more than, not from


@dataclass
class Sentinel(Barred):
    """Scores of AN1793 by (device, address, port). It decides when the clock hour it looks at is over."""

    name: str = "sentinel"
    version: str = "1"
    needs: tuple[str, ...] = ("flows",)
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1793 where there are flows."""
        return ("AN1793",) if "flows" in telemetry else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per device, address and port from half the share on; Unsupported without flows."""
        pairs = host_pairs(telemetry, by_port)
        hours = repeated_deltas(pairs)
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        report = Report(
            "AN1793",
            pairs.who,
            by,
            self.bar,
            Gate(telemetry, self.gated).of_rows(pairs.group, pairs.row, len(pairs.who)),
        )
        for one in report.decided(judge(hours, telemetry)):
            address = (pairs.who.peer.text(one.owner) or "").partition(" ")[0]
            yield report.finding(one, _reasons(hours, one.window, pairs, one.owner), address)


def judge(hours: RepeatedDeltas, telemetry: Telemetry) -> Rated:
    """The raw scores of every pair's hours, 0..1."""
    end = closing(hours.hour, 0, HOUR_US, telemetry.span)
    return Rated(hours.owner, hours.score, hours.first, hours.last, np.maximum(end, hours.last))


def _reasons(hours: RepeatedDeltas, window: int, pairs: Pairs, owner: int) -> tuple[Reason, ...]:
    total, same, delta = int(hours.total[window]), int(hours.same[window]), int(hours.delta_s[window])
    where = (pairs.who.peer.text(owner) or "").replace(" ", " port ")
    text = f"{same} of {total} intervals above 25 s to {where} in one hour are of {delta} s"
    return (
        Reason("beacon_share", float(hours.share[window]), "80 % or less", 1.0, text),
        Reason("total_events", float(total), "30 or less an hour", 0.0, f"{total} intervals above 25 s in that hour"),
        Reason("most_frequent", float(same), "25 or less an hour", 0.0, f"{same} of them last {delta} s"),
    )


def create(argument: str) -> Detector:
    """The rule; LookupError if given another argument than a threshold and ``gate``."""
    rest, gated = gate_word(argument)
    rest, bar = bar_word(rest, BAR, "sentinel")
    if rest:
        expected = "none, 'threshold=T', 'gate' or both with a comma"
        raise LookupError(f"detector sentinel: found the argument '{argument}', expected {expected}")
    return Sentinel(name=f"sentinel:{argument}" if argument else "sentinel", gated=gated, bar=bar)
