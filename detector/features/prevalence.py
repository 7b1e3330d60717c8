"""How widely a destination is used by others within this telemetry: shared services are seldom controllers.

Needs flows of several devices, or several apps. Lowers wrongly: a campaign that reached many devices, and services
that are abused as dead drops. This is no learned baseline: it knows only the recording it stands in.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

DEVICES_PRIOR = 20.0  # other devices seen before their habits weigh half
APPS_PRIOR = 3.0  # other apps contacting it before their habits weigh half


def prevalence(other_devices: Float64, of_devices: int, other_apps: Float64) -> Float64:
    """(g,) shrunken share of other devices and count of other apps that contact the destination, the larger.

    ``other_devices`` of ``of_devices`` contact it; ``other_apps``: other packages that do, NaN where apps are unknown.
    NaN where there is neither a second device nor a second app to ask.

    >>> prevalence(np.array([0.0, 20.0]), 20, np.array([np.nan, np.nan])).tolist()
    [0.0, 0.5]
    >>> prevalence(np.array([0.0]), 0, np.array([np.nan])).tolist()
    [nan]
    """
    apps = other_apps / (other_apps + APPS_PRIOR)
    devices = other_devices / (of_devices + DEVICES_PRIOR) if of_devices else np.full(len(other_devices), np.nan)
    return np.fmax(devices, apps)
