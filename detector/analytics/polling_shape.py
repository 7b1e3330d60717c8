"""How the contacts of a group lie in time and size, as its reasons tell it: made of all that are reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.contacts import Contacts
from detector.features.hour_coverage import HOUR_US
from detector.grouped import grouped_clusters, grouped_sorted, grouped_steps, grouped_sum, ordered_quantiles


@dataclass(frozen=True)
class Shape:
    """Gaps in seconds (NaN where there is none), sizes in bytes of L4 payload, hours of UTC with a contact."""

    floor: float  # gap below which a twentieth lies
    low: float
    period: float  # median gap
    high: float
    same: float  # share of the requests that are about as large as ``up``
    up: int
    down: int  # smallest answer of the most frequent size
    volume: int  # of a contact, both directions, median
    hours: int


def shapes(every: Sequence[Contacts], spread: float) -> list[Shape]:
    """The shape of each; ``spread`` is that of detector.grouped.grouped_clusters."""
    if not every:
        return []
    edges = np.append(0, np.cumsum([len(one) for one in every]))
    times, up, down = (
        np.concatenate([getattr(one, name) for one in every]).astype(np.int64) for name in ("times", "up", "down")
    )
    steps, between = grouped_steps(times, edges)
    gaps = ordered_quantiles(grouped_sorted(steps, between), between, 0.05, 0.25, 0.5, 0.75)
    hours = np.diff(times // HOUR_US, prepend=-1) != 0
    hours[edges[:-1]] = True
    (same, most_up), (_, most_down) = (grouped_clusters(side, edges, spread) for side in (up, down))
    (volume,) = ordered_quantiles(grouped_sorted(up + down, edges), edges, 0.5)
    columns = (*(gap / 1e6 for gap in gaps), same, most_up, most_down, volume.astype(np.int64))
    return [
        Shape(*row)
        for row in zip(
            *(one.tolist() for one in columns), grouped_sum(hours, edges).astype(np.int64).tolist(), strict=True
        )
    ]
