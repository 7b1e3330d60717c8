"""How improbable it is that so many flows were in step with the way in by chance: evidence that grows with streams.

Rare streams add up over longer windows, and a few that fit count more than many that would fit anyway. Needs
exchanges. Raised wrongly by whatever raises the pairing itself, never by volume alone.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def coincidence(paired: Float64, chance: Float64, streams: Float64) -> Float64:
    """(w,) nats: streams times the Kullback-Leibler divergence of the paired share from chance; 0 where it is less.

    Both shares are held away from 0 and 1 by half a stream, so three streams of three give no more than 4.4 nats.
    (The large deviation rate of a binomial; Cover & Thomas, Elements of Information Theory, from memory.)

    >>> paired, chance, streams = np.array([3.0, 30, 3]), np.array([0.0, 15, 3]), np.array([3.0, 30, 6])
    >>> coincidence(paired, chance, streams).round(1).tolist()
    [4.4, 18.3, 0.0]
    """
    n = np.maximum(streams, 1.0)
    p = np.clip(paired / n, 0.5 / (n + 1), 1 - 0.5 / (n + 1))
    q = np.clip((chance + 0.5) / (n + 1), 0.5 / (n + 1), 1 - 0.5 / (n + 1))
    nats = n * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
    return np.where((p > q) & (streams > 0), nats, 0.0)
