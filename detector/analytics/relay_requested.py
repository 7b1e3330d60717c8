"""Whether an app only goes where other apps of its device go as well: what a VPN or a filter of the device does."""

from __future__ import annotations

import numpy as np

from detector.analytics.relay_hosts import Hosts
from detector.columns import NULL, codes, whole
from detector.contract import Telemetry


def requested_locally(telemetry: Telemetry, who: tuple[str, int | None, str | None]) -> float | None:
    """Share of the destinations the app dialled that other apps of its device dialled too; None without apps."""
    flows, (device, uid, package) = telemetry["flows"], who
    if uid is None and package is None:
        return None
    devices = codes(flows["device"])
    here = np.array([text == device for text in devices.texts] + [False])[devices.code]
    here &= whole(flows["inbound"], null=0) == 0
    peer = Hosts.of(flows).peer(codes(flows["server"]), codes(flows["name"])).code
    packages = codes(flows["package"])
    named = np.array([text == package for text in packages.texts] + [package is None])[packages.code]
    mine = here & named & (whole(flows["uid"]) == (NULL if uid is None else uid))
    own = np.unique(peer[mine])
    return float(np.isin(own, peer[here & ~mine]).mean()) if len(own) else None
