"""The flows of a telemetry and their exchanges, some apps at a time: an app is judged by itself, whatever stands beside.

So memory is bounded by the largest app, and not by the telemetry. The order of flows within an app stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from detector.analytics.relay_flows import RelayFlows
from detector.columns import NULL, Int64, joined, whole

AT_ONCE = 250_000  # flows, or those of one app


def blocks(flows: RelayFlows, exchanges: pa.Table | None) -> Iterator[tuple[RelayFlows, pa.Table | None]]:
    """Runs of apps with no more flows than are looked at at once, or one app, and the exchanges of their flows."""
    low = _runs(flows)
    if len(low) <= 1:
        yield flows, exchanges
        return
    high = np.append(low[1:], len(flows.one))
    block = np.repeat(np.arange(len(low)), high - low)[flows.app]
    order = np.argsort(block.astype(np.int16) if len(low) < 2**15 else block, kind="stable")
    edges = np.append(0, np.cumsum(np.bincount(block, minlength=len(low))))
    inside = _exchanges(flows, block, exchanges, len(low))
    for k, mine in enumerate(inside):
        part = flows.of_apps(order[edges[k] : edges[k + 1]], int(low[k]), int(high[k]))
        yield part, None if exchanges is None else exchanges.take(pa.array(mine))


def _runs(flows: RelayFlows) -> Int64:
    """The first app of each block."""
    counts = np.append(0, np.cumsum(np.bincount(flows.app, minlength=len(flows.one))))
    found, low = [], 0
    while low < len(flows.one):
        found.append(low)
        low = max(int(np.searchsorted(counts, counts[low] + AT_ONCE, side="right")) - 1, low + 1)
    return np.array(found, np.int64)


def _exchanges(flows: RelayFlows, block: Int64, exchanges: pa.Table | None, many: int) -> list[Int64]:
    """The rows of exchanges of each block, in their order; a flow between two devices may be in two blocks."""
    if exchanges is None:
        return [np.zeros(0, np.int64)] * many
    number = whole(exchanges["flow"])
    keys = []
    for side in (flows.inbound, ~flows.inbound):
        rows = np.flatnonzero(side)
        owner = joined(flows.flow[rows], number)
        mine = np.flatnonzero(owner != NULL)
        keys.append(block[rows[owner[mine]]] * len(number) + mine)
    every = np.unique(np.concatenate(keys))
    edges = np.searchsorted(every, np.arange(many + 1) * len(number))
    return [every[edges[k] : edges[k + 1]] - k * len(number) for k in range(many)]
