"""What is normal of an enterprise: who contacts which destination, how often, how much, when and in what protocol.

A baseline is a set of parts, each what one telemetry showed (detector/learned); merging is the union of the sets, so a
recording counts once however often it is merged. Nothing may be added here that judges: it answers how usual a thing
is, and counts what others do without the device that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from detector.columns import NULL, Codes
from detector.contract import Telemetry
from detector.flow_columns import Flows
from detector.grouped import Float64
from detector.learned.combined import Combined, combined
from detector.learned.file import read_parts, write_parts
from detector.learned.gathering import gathered
from detector.learned.pace import Former, Pace, Paces
from detector.learned.part import Part
from detector.learned.relayed import Habit, Relaying, relayed_of, unheard
from detector.learned.shares import Asked, Deviation, Vouching, placed
from detector.learned.summary import Coverage, coverage_of, summary_of
from detector.learned.usual import Usual, rates_of, usual_of

__all__ = ["Asked", "Baseline", "Coverage", "Deviation", "Usual", "learn", "merged", "survey"]


@dataclass(frozen=True)
class Baseline:
    """What was learned, in one view. ``itself``: it was surveyed from the telemetry under judgement."""

    view: str
    parts: tuple[Part, ...]  # each once, by id
    itself: bool = False
    by_host: bool = False  # destinations are single hosts by their full names, else registrable domains

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First and last time covered by each part, microseconds, in their order."""
        return tuple(sorted(part.span for part in self.parts))

    @property
    def devices(self) -> int:
        """How many devices spoke."""
        return len(self._combined.devices)

    @property
    def device_days(self) -> float:
        """Days (UTC) on which a device spoke, summed over the devices."""
        return float(self._combined.device_days)

    def deviation(self, asked: Asked) -> Deviation:
        """How unusual it is that each asked app of a device contacts its destination."""
        known, counts = self._combined, self._vouching
        device, package = placed(asked.device, known.devices), placed(asked.package, known.packages)
        category, destination = (
            placed(asked.category, known.categories),
            placed(asked.destination, known.destinations),
        )
        app_share, app_devices = counts.of_app(device, package, destination)
        category_share, category_apps = counts.of_category(device, package, category, destination)
        fleet_share, fleet_devices, everybody = counts.of_fleet(device, destination)
        unknown = np.full(len(device), np.nan)
        new = np.where(everybody > 0, 0.0, 1.0) if self.devices else unknown
        return Deviation(
            own_days=unknown if self.itself else counts.own_days(device, package, destination),
            app_share=app_share,
            app_devices=app_devices,
            category_share=category_share,
            fleet_share=fleet_share,
            fleet_new=unknown if self.itself else new,
            fleet_devices=fleet_devices,
            own_app=unknown if self.itself else self._had(asked.device, asked.package),
            category_apps=category_apps,
        )

    def relayed(self, device: Codes, package: Codes) -> Habit:
        """(g,) how clearly each app relayed in the learning period; unknown in a survey, which is of the same time."""
        if self.itself:
            return unheard(len(device.code))
        known = self._combined
        found = self._relaying.habit(placed(device, known.devices), placed(package, known.packages))
        return replace(found, silent=np.isnan(found.own) & (self._had(device, package) == 1))

    def pace(self, device: Codes, package: Codes, destination: Codes) -> Pace:
        """(g,) how often the app went there a day in the learning period."""
        known = self.known
        who = placed(device, known.devices), placed(package, known.packages)
        return self._paces.of(*who, placed(destination, known.destinations))

    def former(self) -> Former:
        """Every pair that was learned, as places in the texts of ``known``, with its contacts a day."""
        return self._paces.pairs

    @property
    def known(self) -> Combined:
        """All that was learned, the parts together."""
        return self._combined

    def rate_z(self, category: Codes, per_day: Float64) -> Float64:
        """(g,) how many robust deviations (1.4826 MAD) the contacts a day lie above the category's median.

        NaN where the category is unknown or has too few pairs of app and destination (detector/learned/usual.py).
        """
        return rates_of(self._combined).z(placed(category, self._combined.categories), per_day)

    def usual(self, *, package: str | None = None, category: str | None = None) -> Usual | None:
        """How an app, or all of a category, usually speaks; None where fewer than two devices could vouch for it."""
        return usual_of(self._combined, package=package, category=category)

    def protocols(self, category: str) -> frozenset[str] | None:
        """The protocols that at least two devices use in the category; None if fewer than two have it."""
        found = self.usual(category=category)
        return None if found is None else found.protocols

    def coverage(self, telemetry: Telemetry) -> Coverage:
        """How many of the devices and apps of a telemetry it knows."""
        return coverage_of(telemetry, self._combined)

    def summary(self) -> dict[str, Any]:
        """What a person wants to know of it at a glance; plain JSON values."""
        return summary_of(self.view, self.spans, self._combined)

    def merged(self, other: Baseline) -> Baseline:
        """What both know; a part that both have counts once. LookupError if they were learned in different views."""
        return merged([self, other])

    def write(self, path: Path) -> None:
        """The baseline into one file, whole or not at all; OSError where that cannot be written."""
        write_parts(path, self.view, self.parts)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline of a file; LookupError if it is none or of another version, EvidenceError if it is damaged."""
        return cls(*read_parts(path))

    def _had(self, device: Codes, package: Codes) -> Float64:
        """(g,) 1 where the device had the app, by its inventory or heard of, else 0; NaN without an inventory."""
        known = self._combined
        told = self._told
        pairs, place = np.unique(np.stack([device.code, package.code]), axis=1, return_inverse=True)
        found = np.full(pairs.shape[1], np.nan)
        for k, (one, app) in enumerate(pairs.T.tolist()):
            if NULL not in (one, app) and device.texts[one] in told:
                found[k] = (device.texts[one], package.texts[app]) in known.installed
        heard = self._vouching.spoke(placed(device, known.devices), placed(package, known.packages))
        return np.where(heard, 1.0, found[place.reshape(-1)])

    @cached_property
    def hosts(self) -> Baseline:
        """The same of single hosts: which of a known domain's are new. Nothing is asked of a survey's."""
        return replace(self, by_host=True)

    @cached_property
    def _combined(self) -> Combined:
        return combined(self.parts, hosts=self.by_host)

    @cached_property
    def _told(self) -> frozenset[str]:
        """The devices whose inventory was known."""
        return frozenset(device for device, _ in self._combined.installed)

    @cached_property
    def _vouching(self) -> Vouching:
        return Vouching(self._combined.pairs)

    @cached_property
    def _relaying(self) -> Relaying:
        known = self._combined
        return Relaying(
            known.pairs.device, known.pairs.package, known.relayed, (len(known.devices), len(known.packages))
        )

    @cached_property
    def _paces(self) -> Paces:
        return Paces(self._combined)


def learn(telemetry: Telemetry) -> Baseline:
    """What the telemetry shows to be normal; its view is the telemetry's."""
    part = gathered(telemetry)
    return Baseline(telemetry.view, (replace(part, relayed=relayed_of(telemetry, part)).named(),))


def survey(telemetry: Telemetry, flows: Flows | None = None) -> Baseline:
    """The same of the telemetry under judgement itself: who else does a thing, not what is new, nor how apps speak.

    ``flows``: those of the telemetry, where they have been read.
    """
    return Baseline(telemetry.view, (gathered(telemetry, flows, habits=False),), itself=True)


def merged(baselines: Sequence[Baseline]) -> Baseline:
    """What all of them know, at least one; LookupError if they were learned in different views, or one is a survey."""
    views = sorted({one.view for one in baselines})
    if len(views) != 1:
        raise LookupError(f"baselines of views {', '.join(views)}, expected one view: each sensor has its own normal")
    if any(one.itself for one in baselines):
        raise LookupError("a survey of the telemetry under judgement cannot be merged, expected learned baselines")
    parts = {part.id: part for one in baselines for part in one.parts}
    return Baseline(views[0], tuple(parts[name] for name in sorted(parts)))
