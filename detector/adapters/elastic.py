"""Elastic's Network Beaconing transform 1.3.3: even counts, even sizes or a period in each process' last six hours.

Formula: detector/rivals/buckets.py and periodicity.py; ``elastic:jitter=0.4`` sets its ``max_jitter``, 0 as published.
The score is how many of three things hold; it alerts from one on, as the published rule does (``is_beaconing``), and
all three are its rule of high confidence. Its list of processes never to be reported is left out: it names desktops'
ones. Raised wrongly by tickers, players and whatever has one message of one size. Blind to periods above an hour and to
less than seven busy minutes, and to a poll inside an app that does other things: a process is one series.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.columns import Int64
from detector.contract import Detector, Finding, Reason, Telemetry
from detector.grouped import Float64
from detector.rivals.buckets import BUCKETS, HOUR, MINUTE_US, Buckets, fill, truncated_variation
from detector.rivals.gate import Gate, gate_word
from detector.rivals.pairs import Pairs, process_pairs
from detector.rivals.periodicity import periodicity
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Bools, Rated, Report, Verdict, closing
from detector.signature import Signature

HOUR_US = HOUR * MINUTE_US
EVEN_SIZES, EVEN_COUNTS, PERIODIC, FILLED = 0.05, 0.1, 0.7, 0.5
BAR = Bar(1.0, 3.0)
STEP = 256  # windows made dense at once


@dataclass(frozen=True)
class Judged:
    """What the transform says of w windows; NaN where a variation has no mean."""

    sizes_up: Float64
    sizes_down: Float64
    counts: Float64
    filled: Float64  # share of the span
    likeness: Float64
    period: Int64  # minutes

    @property
    def steady(self) -> Bools:
        """(w,) low_count: as many connections in most minutes."""
        return (self.filled > FILLED) & (self.counts <= EVEN_COUNTS)

    @property
    def score(self) -> Float64:
        """(w,) beaconing_score, 0..3."""
        when = self.steady | (self.likeness >= PERIODIC)
        return when + (self.sizes_up <= EVEN_SIZES) * 1.0 + (self.sizes_down <= EVEN_SIZES)


@dataclass
class Elastic(Barred):
    """Scores of AN1793 by (device, process). It decides at the end of the hour that ends a window."""

    jitter: float
    name: str = "elastic"
    version: str = "1"
    needs: tuple[str, ...] = ("flows",)
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1793 where there are flows of known processes, or none at all."""
        if "flows" not in telemetry:
            return ()
        flows = telemetry["flows"]
        unknown = min(flows["uid"].null_count, flows["package"].null_count)
        return ("AN1793",) if unknown < len(flows) or not len(flows) else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per process that beacons, naming where it most went then; Unsupported without flows."""
        pairs = process_pairs(telemetry)
        buckets = fill(pairs, telemetry.span)
        judged = judge(buckets, self.jitter)
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        report = Report(
            "AN1793",
            pairs.who,
            by,
            self.bar,
            Gate(telemetry, self.gated).of_rows(pairs.group, pairs.row, len(pairs.who)),
        )
        for one in report.decided(rate(judged, buckets, telemetry)):
            yield report.finding(one, _reasons(judged, one.window), _most_visited(pairs, buckets, one))


def judge(buckets: Buckets, jitter: float) -> Judged:
    """The parts of every window's raw score."""
    count = len(buckets.owner)
    likeness, period = np.zeros(count), np.zeros(count, np.int64)
    for low in range(0, count, STEP):
        part = slice(low, min(low + STEP, count))
        likeness[part], period[part] = periodicity(*buckets.dense(part), jitter)
    return Judged(
        sizes_up=truncated_variation(buckets.up, buckets.edges),
        sizes_down=truncated_variation(buckets.down, buckets.edges),
        counts=truncated_variation(buckets.count.astype(np.float64), buckets.edges),
        filled=buckets.filled / np.maximum(buckets.spanned, 1),
        likeness=likeness,
        period=period,
    )


def rate(judged: Judged, buckets: Buckets, telemetry: Telemetry) -> Rated:
    """The raw scores of every process' windows, 0..3."""
    end = closing(buckets.hour, telemetry.span[0], HOUR_US, telemetry.span)
    return Rated(buckets.owner, judged.score, buckets.first, buckets.last, np.maximum(end, buckets.last))


def _most_visited(pairs: Pairs, buckets: Buckets, one: Verdict) -> str | None:
    """The destination with most connections of the process in its best window: the transform lists them all."""
    rows = np.arange(pairs.edges[one.owner], pairs.edges[one.owner + 1])
    times = pairs.start[rows]
    rows = rows[(times >= buckets.first[one.window]) & (times <= buckets.last[one.window])]
    return next(iter(pairs.peer.of(rows)), None)


def _reasons(judged: Judged, window: int) -> tuple[Reason, ...]:
    up, down, counts = (float(part[window]) for part in (judged.sizes_up, judged.sizes_down, judged.counts))
    likeness, minutes = float(judged.likeness[window]), int(judged.period[window])
    texts = (
        ("low_src_bytes", up, f"above {EVEN_SIZES}", "mean bytes sent in a connection, minute by minute"),
        ("low_dst_bytes", down, f"above {EVEN_SIZES}", "mean bytes received in a connection, minute by minute"),
        ("low_count", counts, f"above {EVEN_COUNTS}, or not in most minutes", "connections, minute by minute"),
    )
    spread = [
        Reason(name, None if np.isnan(value) else value, expected, 1.0, f"deviation over mean of {what}")
        for name, value, expected, what in texts
    ]
    text = f"connections a minute, laid on themselves {minutes} minutes later, within {BUCKETS // HOUR} hours"
    return (*spread, Reason("periodic", likeness, f"below {PERIODIC}", 1.0, text))


def create(argument: str) -> Detector:
    """The transform with its ``max_jitter``, from 0 to below 1; LookupError if the argument says anything else."""
    name = f"elastic:{argument}" if argument else "elastic"
    rest, gated = gate_word(argument)
    rest, bar = bar_word(rest, BAR, "elastic")
    if not rest:
        return Elastic(0.0, name, gated=gated, bar=bar)
    key, _, value = rest.partition("=")
    try:
        jitter = float(value) if key == "jitter" else -1.0
    except ValueError:
        jitter = -1.0
    if not 0 <= jitter < 1:
        expected = "some of jitter=J, J from 0 to below 1, 'threshold=T' and 'gate', in that order, with commas"
        raise LookupError(f"detector elastic: found the argument {argument!r}, expected {expected}")
    return Elastic(jitter, name, gated=gated, bar=bar)
