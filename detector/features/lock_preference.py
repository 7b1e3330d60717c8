"""How much an app prefers to speak while the device is locked: implants that hide from the user do.

Needs device_state. Raised wrongly by backups and updates, which wait for an idle device on purpose.
"""

from __future__ import annotations

from detector.features.lock_independence import both_states_seen


def lock_preference(locked: int, unlocked: int, locked_s: float, unlocked_s: float) -> float | None:
    """Locked contact rate over the sum of both rates: 0.5 is indifferent, 1 is locked only; None as unknown.

    >>> lock_preference(40, 0, 50_000, 10_000)
    1.0
    """
    if not both_states_seen(locked + unlocked, locked_s, unlocked_s):
        return None
    rate_locked, rate_unlocked = locked / locked_s, unlocked / unlocked_s
    return rate_locked / (rate_locked + rate_unlocked)
