"""The control that knows only the clock: how regular the intervals to a destination are, whoever and whatever it is.

A detector is worth what it is better than this one: honest timers are as regular as any poll.
Raised wrongly by every honest timer: push heartbeats, tickers, sync jobs, media segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.columns import NULL, Int64, joined, whole
from detector.contract import ANALYTICS, EXCHANGE_IDLE_US, Detector, Finding, Reason, Telemetry
from detector.grouped import Float64, grouped_gaps, grouped_quantiles
from detector.rivals.gate import Gate, gate_word
from detector.sightings import Sightings, able
from detector.signature import Signature

LEAST = 0.25  # half of what alerts: nothing below is worth a line
MEMORYLESS = 1.6  # ln(q75 / q25) of an exponential (detector/features/interval_regularity.py)
QUARTERS = 4  # gaps that a quartile needs to be one: as many count half


@dataclass
class TimingOnly:
    """Scores of AN1793: interval regularity, shrunk where there are few gaps. Of AN1702: the most regular destination.

    It decides when it has seen all: the last contact; with a surveyed gate, at the end.
    """

    name: str = "timing-only"
    version: str = "1"
    needs: tuple[str, ...] = ()
    gated: bool = False

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """Both analytics where there are flows or look-ups."""
        return able(telemetry, ANALYTICS)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per regular destination of an app, then per app; Unsupported without flows and dns."""
        seen, group, edges = _with_exchanges(Sightings.read(telemetry), telemetry).by_peer()
        if not len(seen.start):
            return
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        score, gaps = _scores(seen.start, group, edges)
        one = seen.taken(edges[:-1])
        weights = Gate(telemetry, self.gated).of_each(one.device, one.package, one.peer)
        score *= 1.0 if weights.value is None else weights.value
        least = LEAST / 100 if self.gated else LEAST
        first, last = seen.start[edges[:-1]], seen.start[edges[1:] - 1]
        app, begins = one.by_app()
        best = np.lexsort((-score, app))[np.append(0, np.cumsum(np.bincount(app, minlength=len(begins))))[:-1]]
        for analytic, rows in zip(ANALYTICS, (np.arange(len(score)), best), strict=True):
            for row in rows[score[rows] >= least].tolist():
                text = f"{gaps[row]} intervals to {one.peer.text(row)}, regular to {score[row]:.2f}"
                why = Reason("interval_regularity", float(score[row]), "below 0.5", 1.0, text)
                seen_at = int(first[row]), int(last[row])
                decided = max(seen_at[1], weights.since or 0)
                found = one.finding(row, seen_at, (analytic, float(score[row]), decided), why, who)
                yield replace(found, reasons=(*found.reasons, *weights.reasons(row)))


def _with_exchanges(seen: Sightings, telemetry: Telemetry) -> Sightings:
    """The sightings, and one for each exchange inside their flows: a WebSocket is one flow of many polls."""
    if "exchanges" not in telemetry or "flows" not in telemetry:
        return seen
    exchanges = telemetry["exchanges"]
    flows, first = np.unique(seen.flow, return_index=True)
    place = joined(flows, whole(exchanges["flow"]))
    inside = place != NULL
    rows = np.concatenate([np.arange(len(seen.start)), first[place[inside]]])
    times = np.concatenate([seen.start, whole(exchanges["start"])[inside]])
    more = seen.taken(rows)
    return Sightings(more.device, more.uid, more.package, more.peer, times, more.flow)


def _scores(start: Int64, group: Int64, edges: Int64) -> tuple[Float64, Int64]:
    """(g,) the score of each group, and how many gaps it has, once what is closer than an exchange's idle is one."""
    new = np.ones(len(start), np.bool_)
    new[1:] = (np.diff(start) > EXCHANGE_IDLE_US) | (np.diff(group) != 0)
    times, counts = start[new], np.bincount(group[new], minlength=len(edges) - 1)
    gaps, gap_edges = grouped_gaps(times, np.append(0, np.cumsum(counts)).astype(np.int64))
    low, high = grouped_quantiles(gaps, gap_edges, 0.25, 0.75)
    many = counts - 1
    spread = np.log(np.where(many > 0, high, 1.0) / np.where(many > 0, low, 1.0))
    return np.clip(1 - spread / MEMORYLESS, 0, 1) * many / (many + QUARTERS), many


def create(argument: str) -> Detector:
    """The detector of timing alone; LookupError if given an argument."""
    rest, gated = gate_word(argument)
    if rest:
        raise LookupError(f"detector timing-only: found the argument '{argument}', expected none or 'gate'")
    return TimingOnly(f"timing-only:{argument}" if argument else "timing-only", gated=gated)
