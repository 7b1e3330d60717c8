"""Whether contacts come as often locked as unlocked: a timer does not care, a person does.

Needs device_state with both states long enough. Raised wrongly by push, sync and every other honest timer.
"""

from __future__ import annotations

LEAST_SECONDS = 600.0
LEAST_EXPECTED = 3.0


def lock_independence(locked: int, unlocked: int, locked_s: float, unlocked_s: float) -> float | None:
    """Smaller over larger contact rate of the two lock states; None where a state was too short to expect contacts.

    ``locked``, ``unlocked``: contacts in each state; ``locked_s``, ``unlocked_s``: seconds spent in each.

    >>> lock_independence(50, 10, 50_000, 10_000)
    1.0
    >>> lock_independence(0, 40, 50_000, 10_000)
    0.0
    >>> lock_independence(40, 0, 50_000, 0) is None
    True
    """
    if not both_states_seen(locked + unlocked, locked_s, unlocked_s):
        return None
    rates = sorted((locked / locked_s, unlocked / unlocked_s))
    return rates[0] / rates[1]


def both_states_seen(contacts: int, locked_s: float, unlocked_s: float) -> bool:
    """Whether a timer would have shown itself in both lock states: 10 min of each, three contacts expected in each.

    >>> both_states_seen(4, 50_000, 10_000)
    False
    """
    shorter = min(locked_s, unlocked_s)
    return shorter >= LEAST_SECONDS and contacts * shorter / (locked_s + unlocked_s) >= LEAST_EXPECTED
