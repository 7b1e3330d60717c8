"""How much oftener an app's other flows speak in step with the way in than they would by chance.

A burst is in step if the way brought, shortly before it, bytes enough for its request, and took away, shortly after,
bytes enough for its answer (detector/analytics/relay_matching.py). Chance is the same bursts against the same way
minutes earlier and later, so that a way that is always busy, or a user who is, lifts nothing. Tolerates delays up to
its reach, and chaff: what the way carries beside is not asked. Needs exchanges. Raised wrongly by push whose
announcement is as large as the answer, and by VPN, casting and tethering, which are relays by purpose.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def pairing_lift(paired: Float64, chance: Float64, streams: Float64) -> Float64:
    """(w,) (p - p0) / (1 - p0), cut to 0..1, of the paired streams and those expected by chance; NaN without any.

    >>> pairing_lift(np.array([3.0, 3.0, 0.0]), np.array([0.0, 3.0, 0.0]), np.array([3.0, 4.0, 0.0])).tolist()
    [1.0, 0.0, nan]
    """
    known = np.maximum(streams, 1e-12)
    share, by_chance = paired / known, np.minimum(chance / known, 1.0)
    lift = np.where(by_chance < 1, (share - by_chance) / np.maximum(1 - by_chance, 1e-12), 0.0)
    return np.where(streams > 0, np.clip(lift, 0.0, 1.0), np.nan)
