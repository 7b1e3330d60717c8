"""A baseline at a glance, and how much of a telemetry it knows: plain values, for people and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.columns import NULL, codes
from detector.contract import Telemetry, rfc3339
from detector.learned.combined import Combined
from detector.learned.usual import rates_of, usual_of

FEW = 3  # devices: a destination of no more is rare (our choice, as for the group of rare destinations)


@dataclass(frozen=True)
class Coverage:
    """How many devices and apps a telemetry has, and how many of them the baseline knows."""

    devices: int
    devices_known: int
    packages: int
    packages_known: int

    @property
    def stranger(self) -> bool:
        """Whether none of the devices, or none of the apps, is known: it may be of another enterprise."""
        return not self.devices_known or (self.packages > 0 and not self.packages_known)

    def __str__(self) -> str:
        apps = f" and {self.packages_known} of {self.packages} apps" if self.packages else ""
        return f"the baseline knows {self.devices_known} of {self.devices} devices{apps}"


def coverage_of(telemetry: Telemetry, known: Combined) -> Coverage:
    """How much of the telemetry is known, by the names in its flows, or else those who looked names up.

    A baseline of no app (view no-app and below) is asked about none.
    """
    devices: set[str] = set()
    packages: set[str] = set()
    if "flows" in telemetry:
        devices |= set(codes(telemetry["flows"]["device"]).texts)
        packages |= set(codes(telemetry["flows"]["package"]).texts) if known.packages else set()
    elif "dns" in telemetry:
        devices |= set(codes(telemetry["dns"]["client"]).texts)
    return Coverage(len(devices), len(devices & set(known.devices)), len(packages), len(packages & set(known.packages)))


def summary_of(view: str, spans: tuple[tuple[int, int], ...], known: Combined) -> dict[str, Any]:
    """Plain JSON values: how much was learned, and what is usual of each category."""
    pairs = known.pairs
    reached = np.unique(pairs.destination * (len(known.devices) + 1) + pairs.device) // (len(known.devices) + 1)
    devices_of = np.bincount(reached, minlength=len(known.destinations))
    return {
        "view": view,
        "recordings": len(spans),
        "from": rfc3339(min(first for first, _ in spans)),
        "to": rfc3339(max(last for _, last in spans)),
        "devices": len(known.devices),
        "device_days": known.device_days,
        "apps": len(known.packages),
        "categories": [_category(known, name) for name in known.categories],
        "destinations": len(known.destinations),
        "destinations_of_few": int((devices_of <= FEW).sum()),
        "pairs": len(pairs.device),
    }


def _category(known: Combined, name: str) -> dict[str, Any]:
    """What is usual of one category; null where fewer than two devices, or too few pairs, could vouch for it."""
    code = known.categories.index(name)
    mine = known.pairs.category == code
    usual = usual_of(known, package=None, category=name)
    middle = float(rates_of(known).middle[code])
    return {
        "category": name,
        "apps": int((known.category == code).sum()),
        "devices": len(np.unique(known.pairs.device[mine])),
        "destinations": len(np.unique(known.pairs.destination[mine & (known.pairs.destination != NULL)])),
        "contacts_per_day": None if np.isnan(middle) else round(float(2.0**middle), 2),
        "protocols": None if usual is None else sorted(usual.protocols),
        "ports": None if usual is None else sorted(usual.ports),
    }
