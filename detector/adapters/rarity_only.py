"""The control that knows only what is rare and new: which destinations few go to, and since when; never how often.

A detector is worth what it is better than this one: a world in which guilt is an unusual destination needs no timing.
Raised wrongly by everything personal: home servers, long-tail sites, an app that one person has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.columns import Int64, numbered
from detector.contract import ANALYTICS, Detector, Finding, Reason, Telemetry
from detector.sightings import Sightings, able
from detector.signature import Signature

LEAST = 0.25  # half of what alerts: nothing below is worth a line


@dataclass
class RarityOnly:
    """Scores of AN1793: rarity, halved for what was there from the beginning. Of AN1702: how many rare ones an app has.

    Rarity is the share of the devices, but for this one, that do not go to the destination (its own share counted to
    them), over the number of apps that do. An app alerts with more rarity than the mean app. All of that is known at
    the end of the recording alone: then it decides.
    """

    name: str = "rarity-only"
    version: str = "1"
    needs: tuple[str, ...] = ()

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
        score = rarity * (1 + np.clip((first - begin) / max(end - begin, 1), 0, 1)) / 2
        for row in np.flatnonzero(score >= LEAST).tolist():
            text = f"{one.peer.text(row)} is {rarity[row]:.2f} rare among all devices and apps seen here"
            why = Reason("rarity", float(rarity[row]), "below 0.5", 1.0, text)
            times = int(first[row]), int(last[row])
            yield one.finding(row, times, ("AN1793", float(score[row]), max(end, times[1])), why, who)
        yield from _apps(one, rarity, (first, last, end), who)


def _apps(
    one: Sightings, rarity: npt.NDArray[np.float64], times: tuple[Int64, Int64, int], who: Signature
) -> Iterator[Finding]:
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


def _rarity(one: Sightings) -> npt.NDArray[np.float64]:
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
    if argument:
        raise LookupError(f"detector rarity-only: found the argument '{argument}', expected none")
    return RarityOnly()
