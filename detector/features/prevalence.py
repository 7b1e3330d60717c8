"""How widely a destination is used by others within this telemetry: shared services are seldom controllers.

Needs flows of several devices, or several apps. Lowers wrongly: a campaign that reached many devices, and services
that are abused as dead drops. This is no learned baseline: it knows only the recording it stands in.
"""

from __future__ import annotations

DEVICES_PRIOR = 20.0  # other devices seen before their habits weigh half
APPS_PRIOR = 3.0  # other apps contacting it before their habits weigh half


def prevalence(other_devices: int, of_devices: int, other_apps: int | None) -> float | None:
    """0..1: shrunken share of other devices and count of other apps that contact the destination, the larger.

    ``other_devices`` of ``of_devices`` contact it; ``other_apps``: other packages that do, None where apps are
    unknown. None where there is neither a second device nor a second app to ask.

    >>> prevalence(0, 2, 0)
    0.0
    >>> prevalence(0, 0, None) is None
    True
    """
    shares = [] if other_apps is None else [other_apps / (other_apps + APPS_PRIOR)]
    if of_devices:
        shares.append(other_devices / (of_devices + DEVICES_PRIOR))
    return max(shares) if shares else None
