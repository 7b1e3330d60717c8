"""The control that suspects everybody: one alert per device, app and analytic, what shouting wolf scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Codes, Int64, codes, numbered, whole
from detector.contract import ANALYTICS, Detector, Finding, Reason, Telemetry

WHY = Reason("app_seen", 1.0, "1", 1.0, "this app was seen at all; this detector looks no further")


@dataclass
class Always:
    """A detector that alerts for every app seen on the network."""

    name: str = "always"
    version: str = "1"
    needs: tuple[str, ...] = ()

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """Two alerts for every (device, uid, package) of the flows, or for every client of the dns table."""
        device, uid, package, start = _seen(telemetry)
        if not len(start):
            return
        group, first = numbered(device.code, uid, package.code)
        for g, row in enumerate(first):
            times = start[group == g]
            for analytic in ANALYTICS:
                yield Finding(
                    analytic=analytic,
                    device=device.text(int(row)) or "",
                    uid=None if uid[row] == NULL else int(uid[row]),
                    package=package.text(int(row)),
                    peer=None,
                    first_seen=int(times.min()),
                    last_seen=int(times.max()),
                    decided_at=int(times.min()),
                    score=1.0,
                    alert=True,
                    severity="low",
                    detector=self.name,
                    detector_version=self.version,
                    reasons=(WHY,),
                    partial=telemetry.partial is not None,
                )


def _seen(telemetry: Telemetry) -> tuple[Codes, Int64, Codes, Int64]:
    if "flows" in telemetry:
        flows = telemetry["flows"]
        return codes(flows["device"]), whole(flows["uid"]), codes(flows["package"]), whole(flows["start"])
    dns = telemetry["dns"]
    nobody = np.full(len(dns), NULL, np.int64)
    return codes(dns["client"]), nobody, Codes(nobody, []), whole(dns["time"])


def create(argument: str) -> Detector:
    """The detector that always alerts; ValueError if given an argument."""
    if argument:
        raise ValueError(f"detector always takes no argument, found '{argument}'")
    return Always()
