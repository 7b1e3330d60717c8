"""The control that knows only what is rare and new: which destinations few go to, and since when; never how often.

A detector is worth what it is better than this one: a world in which guilt is an unusual destination needs no timing.
Raised wrongly by everything personal: home servers, long-tail sites, an app that one person has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.baseline import Asked, Baseline
from detector.columns import NULL, Codes, Int64, numbered
from detector.contract import ANALYTICS, Detector, Finding, Reason, Telemetry
from detector.grouped import Float64
from detector.rivals.gate import Gate, gate_word
from detector.sightings import Sightings, able
from detector.signature import Signature

LEAST = 0.25  # half of what alerts: nothing below is worth a line


@dataclass
class RarityOnly:
    """Scores of AN1793: rarity, halved for what was there from the beginning. Of AN1702: how many rare ones an app has.

    Rarity is the share of the devices, but for this one, that do not go to the destination (its own share counted to
    them), over the number of apps that do. An app alerts with more rarity than the mean app. With a baseline, rarity is
    also the share of the other devices that did not go there before, and halved is, for both analytics, what the app on
    this device did. All of that is known at the end of the recording alone: then it decides.
    """

    name: str = "rarity-only"
    version: str = "2"
    needs: tuple[str, ...] = ()
    gated: bool = False

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """Both analytics where there are flows or look-ups."""
        return able(telemetry, ANALYTICS)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per rare destination of an app, then per app; Unsupported without flows and dns."""
        seen, _, edges = Sightings.read(telemetry).by_peer()
        if not len(seen.start):
            return
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        first, last = seen.start[edges[:-1]], seen.start[edges[1:] - 1]
        one = seen.taken(edges[:-1])
        rarity = _rarity(one)
        begin, end = telemetry.span
        weights = Gate(telemetry, self.gated).of_each(one.device, one.package, one.peer)
        rarity *= 1.0 if weights.value is None else weights.value
        new = np.clip((first - begin) / max(end - begin, 1), 0, 1)
        if telemetry.baseline is not None:
            share, new = _before(telemetry.baseline, one, new)
            rarity *= 1 - share
        score = rarity * (1 + new) / 2
        for row in np.flatnonzero(score >= (LEAST / 100 if self.gated else LEAST)).tolist():
            text = f"{one.peer.text(row)} is {rarity[row]:.2f} rare among all devices and apps seen here"
            why = Reason("rarity", float(rarity[row]), "below 0.5", 1.0, text)
            times = int(first[row]), int(last[row])
            found = one.finding(row, times, ("AN1793", float(score[row]), max(end, times[1])), why, who)
            yield replace(found, reasons=(*found.reasons, *weights.reasons(row)))
        yield from _apps(one, rarity if telemetry.baseline is None else score, (first, last, end), who)


def _apps(one: Sightings, rarity: Float64, times: tuple[Int64, Int64, int], who: Signature) -> Iterator[Finding]:
    group, begins = one.by_app()
    total = np.bincount(group, weights=rarity, minlength=len(begins))
    score = total / (total + total.mean()) if total.mean() else total
    first = np.full(len(begins), np.iinfo(np.int64).max)
    last = np.zeros(len(begins), np.int64)
    np.minimum.at(first, group, times[0])
    np.maximum.at(last, group, times[1])
    for number in np.flatnonzero(score >= LEAST).tolist():
        text = f"its destinations have a rarity of {total[number]:.1f} together; the mean app has {total.mean():.1f}"
        why = Reason("rare_destinations", float(total[number]), f"below {total.mean():.1f}", 1.0, text)
        seen = int(first[number]), int(last[number])
        yield one.finding(int(begins[number]), seen, ("AN1702", float(score[number]), max(times[2], seen[1])), why, who)


def _before(baseline: Baseline, one: Sightings, new: Float64) -> tuple[Float64, Float64]:
    """(g,) the share of the other devices that went there before, and 1 where this device's app did not.

    Unknown is 0, and ``new``: when it was first seen, as without a baseline.
    """
    unknown = Codes(np.full(len(one.uid), NULL, np.int64), [])
    told = baseline.deviation(Asked(one.device, one.package, unknown, one.peer))
    fresh = np.where(np.isnan(told.own_days), new, told.own_days == 0)
    return np.nan_to_num(told.fleet_share), np.asarray(fresh, np.float64)


def _rarity(one: Sightings) -> Float64:
    """(g,) how rare each device's, app's destination is, 0..1; ``one``: a sighting of each."""
    fleet = len(np.unique(one.device.code))
    others = _distinct(one.peer.code, one.device.code) - 1
    app, _ = numbered(one.package.code, np.where(one.package.code >= 0, -1, one.uid))
    return np.asarray((1 - others / fleet) / _distinct(one.peer.code, app), np.float64)


def _distinct(of: Int64, what: Int64) -> Int64:
    """(n,) how many different values of ``what`` stand beside the same value of ``of``."""
    pairs = np.unique(np.stack([of, what]), axis=1)
    place = of - of.min()
    return np.asarray(np.bincount(pairs[0] - of.min(), minlength=int(place.max()) + 1)[place], np.int64)


def create(argument: str) -> Detector:
    """The detector of rarity alone; LookupError if given an argument."""
    rest, gated = gate_word(argument)
    if rest:
        raise LookupError(f"detector rarity-only: found the argument '{argument}', expected none or 'gate'")
    return RarityOnly(f"rarity-only:{argument}" if argument else "rarity-only", gated=gated)
