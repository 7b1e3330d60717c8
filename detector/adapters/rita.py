"""RITA v5's beacon score of each device and name or address, day by day; ``rita:modifiers`` adds what else it weighs.

Formula: detector/rivals/beacon_score.py and, for ``modifiers``, modifiers.py and dns_tunnels.py. Its classes begin at
50, 70, 90 and 100 %: it alerts from 70 % on, the medium one's lower bound (which name goes with which bound is from
memory). Raised wrongly by whatever is always on and says the same: push heartbeats, tickers, sync jobs. Blind to the
inside of a long flow, to pairs with fewer than four connections a day, and, by hours and length, to who works office
hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from detector.columns import Int64, codes
from detector.contract import Detector, Finding, Reason, Telemetry, Unsupported
from detector.grouped import Float64
from detector.rivals.beacon_score import BeaconScore, beacon_score
from detector.rivals.dns_tunnels import Subdomains, subdomains
from detector.rivals.gate import Gate, gate_word
from detector.rivals.modifiers import DAY_US, MISSING_HOST_STEP, MOST, STEP, Modifiers, modifiers
from detector.rivals.pairs import Pairs, Windows, by_name, host_pairs
from detector.rivals.tuned import Barred, bar_word
from detector.rivals.verdicts import Bar, Rated, Report, closing, spans
from detector.signature import Signature

BAR = Bar(0.7, 1.0)  # the medium class
HEADERS = {"tcp": 20, "udp": 8}  # RFC 9293, RFC 768, without options
EXPECTED = "below 0.7 all in all"


@dataclass(frozen=True)
class Judged:
    """All that was measured of the pairs of one telemetry, and what was made of it."""

    rated: Rated
    beacon: BeaconScore
    weighed: Modifiers | None


@dataclass
class Rita(Barred):
    """Scores of AN1793 by (device, SNI or Host or address). It decides when the day it looks at is over."""

    modified: bool
    name: str = "rita"
    version: str = "1"
    needs: tuple[str, ...] = ()
    gated: bool = False
    bar: Bar = BAR

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """AN1793 where there are flows; with modifiers also where there are look-ups."""
        return ("AN1793",) if "flows" in telemetry or (self.modified and "dns" in telemetry) else ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per pair from 35 % on, then with modifiers per domain asked for; Unsupported without any table."""
        if not self.judges(telemetry):
            raise Unsupported(f"{self.name} needs flows; this telemetry (view {telemetry.view}) has none")
        by = Signature(self.name, self.version, partial=telemetry.partial is not None)
        bar = self.bar
        gate = Gate(telemetry, self.gated)
        if "flows" in telemetry:
            pairs = host_pairs(telemetry, by_name)
            judged = judge(pairs, telemetry, modified=self.modified)
            weights = gate.of_rows(pairs.group, pairs.row, len(pairs.who))
            report = Report("AN1793", pairs.who, by, bar, weights)
            for one in report.decided(judged.rated):
                yield report.finding(one, _reasons(judged, one.window), pairs.who.peer.text(one.owner))
        if self.modified and "dns" in telemetry:
            yield from _asked(telemetry, by, bar, gate)


def judge(pairs: Pairs, telemetry: Telemetry, *, modified: bool) -> Judged:
    """The raw scores of every pair's days, 0..1, and with modifiers up to MOST more."""
    begin = telemetry.span[0]
    days = pairs.windows(begin, DAY_US)
    end = closing(days.number, begin, DAY_US, telemetry.span)
    beacon = beacon_score(
        pairs.start, ip_bytes(pairs, telemetry["flows"]), days.edges, begin + days.number * DAY_US, end
    )
    weighed = modifiers(pairs, days, telemetry["flows"], begin, end) if modified else None
    score = beacon.score
    if weighed is not None:
        score = np.where(score > 0, score + weighed.total, 0.0)
    return Judged(_rated(days, pairs.start, score, end), beacon, weighed)


def ip_bytes(pairs: Pairs, flows: pa.Table) -> Int64:
    """(n,) bytes of IP that the source sent: payload and headers, without options, which no table counts."""
    proto, server = codes(flows["proto"]), codes(flows["server"])
    transport = np.array([HEADERS.get(text, 0) for text in proto.texts] + [0])[proto.code]
    network = np.array([40 if ":" in text else 20 for text in server.texts] + [20])[server.code]
    return np.asarray(pairs.up + pairs.packets_up * (transport + network)[pairs.row], np.int64)


def _rated(days: Windows, start: Int64, score: Float64, end: Int64) -> Rated:
    first, last = spans(days.edges, start)
    return Rated(days.owner, score, first, last, np.maximum(end, last))


def _asked(telemetry: Telemetry, by: Signature, bar: Bar, gate: Gate) -> Iterator[Finding]:
    """A finding per device and domain of which it asked for many names."""
    asked = subdomains(telemetry, DAY_US)
    end = closing(asked.number, telemetry.span[0], DAY_US, telemetry.span)
    rated = Rated(asked.owner, asked.score, asked.first, asked.last, np.maximum(end, asked.last))
    report = Report("AN1793", asked.who, by, bar, gate.of_lookups(asked.who))
    for one in report.decided(rated):
        yield report.finding(one, _asked_reasons(asked, one.window), asked.who.peer.text(one.owner))


def _reasons(judged: Judged, window: int) -> tuple[Reason, ...]:
    beacon = judged.beacon
    if beacon.strobe[window]:
        return (Reason("strobe", 1.0, "below 86,400 connections a day", 1.0, "as many connections as seconds a day"),)
    parts = (
        ("ts_score", beacon.timing, "intervals between connections, symmetric and near their median"),
        ("ds_score", beacon.sizes, "bytes sent in each connection, symmetric and near their median"),
        ("hist_score", beacon.bars, "connections in each 24th of the day, equally many or at two heights"),
        ("dur_score", beacon.length, "of the day between first and last connection, or of half a day without a gap"),
    )
    shown = [
        Reason(name, float(part[window]), EXPECTED, 0.25, f"{part[window]:.2f}: {text}") for name, part, text in parts
    ]
    return (*shown, *_modified(judged.weighed, window))


def _modified(weighed: Modifiers | None, window: int) -> Iterator[Reason]:
    if weighed is None:
        return
    for name, most, text in (
        ("prevalence", STEP, "few (+) or half (-) of the devices go there"),
        ("first_seen", STEP, "it was seen first within 7 days (+) or 30 days ago (-)"),
        ("missing_host", MISSING_HOST_STEP, "HTTP without a Host header"),
        ("rare_signature", STEP, "a JA4 or user agent that this device shows to nobody else"),
    ):
        value = float(getattr(weighed, name)[window])
        known = None if np.isnan(value) else value
        yield Reason(name, known, "0 or less", most, text if known else f"not so, or not to be told: {text}")


def _asked_reasons(asked: Subdomains, window: int) -> tuple[Reason, ...]:
    names, direct = int(asked.names[window]), float(asked.direct[window])
    many = Reason("subdomains", float(names), "below 100 a day", 1.0, f"{names} names below one domain in a day")
    known = None if np.isnan(direct) else direct
    return (
        many,
        Reason("no_direct_connection", known, "0", STEP, "nobody on the device connects to what it asked for"),
    )


def create(argument: str) -> Detector:
    """The beacon score, plain or with ``modifiers``; LookupError if given another argument."""
    rest, gated = gate_word(argument)
    most = 1 + MOST if "modifiers" in rest.split(",") else BAR.most
    rest, bar = bar_word(rest, replace(BAR, most=most), "rita")
    if rest not in ("", "modifiers"):
        expected = "none, or some of 'modifiers', 'threshold=T' and 'gate', in that order"
        raise LookupError(f"detector rita: found the argument '{argument}', expected {expected}")
    return Rita(modified=bool(rest), name=f"rita:{argument}" if argument else "rita", gated=gated, bar=bar)
