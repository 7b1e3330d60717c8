"""The flows of a telemetry and their exchanges, some devices at a time: each device is judged by itself.

So memory is bounded by the largest device, and not by the telemetry. The order of flows within a device stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from detector.analytics.relay_hosts import Hosts
from detector.columns import NULL, Int64, codes, joined, whole
from detector.packed import encoded

AT_ONCE = 250_000  # flows, or those of one device
#: The columns that relaying is told by.
READ = (
    "flow",
    "device",
    "inbound",
    "uid",
    "package",
    "start",
    "end",
    "client",
    "server",
    "bytes_up",
    "bytes_down",
    "name",
    "ja4",
    "proxy",
    "proxy_server",
)


@dataclass(frozen=True)
class Blocks:
    """Flows of devices that have no more than are looked at at once, or of one, and the exchanges of their flows.

    Of several blocks only READ, and texts are dictionaries, the same in all, so that codes mean the same.
    """

    flows: pa.Table
    exchanges: pa.Table | None
    hosts: Hosts
    rows: Sequence[Int64] | None  # of flows; None: all of them are one block
    inside: Sequence[Int64]  # rows of exchanges

    @classmethod
    def of(cls, flows: pa.Table, exchanges: pa.Table | None) -> Blocks:
        """Those of a telemetry's tables."""
        if len(flows) <= AT_ONCE:
            return cls(flows, exchanges, Hosts.of(flows), None, ())
        packed = pa.table({name: encoded(flows[name]) for name in READ})
        block = _blocks(packed)
        many = int(block.max()) + 1
        order = np.argsort(block, kind="stable")  # of small numbers: by counting
        edges = np.append(0, np.cumsum(np.bincount(block, minlength=many)))
        rows = [order[edges[k] : edges[k + 1]] for k in range(many)]
        return cls(packed, exchanges, Hosts.of(packed), rows, _exchanges(packed, block, exchanges, many))

    def __len__(self) -> int:
        return 1 if self.rows is None else len(self.rows)

    def part(self, k: int) -> tuple[pa.Table, pa.Table | None]:
        """The flows and exchanges of one block."""
        if self.rows is None:
            return self.flows, self.exchanges
        flows = self.flows.take(pa.array(self.rows[k]))
        return flows, None if self.exchanges is None else self.exchanges.take(pa.array(self.inside[k]))


def _blocks(flows: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int16 | np.int32]]:
    """(n,) the block of each flow: runs of devices."""
    device = codes(flows["device"]).code + 1
    counts = np.bincount(device)
    total, block, found = 0, 0, np.zeros(len(counts), np.int32)
    for number, count in enumerate(counts.tolist()):
        if total and total + count > AT_ONCE:
            total, block = 0, block + 1
        total += count
        found[number] = block
    return (found.astype(np.int16) if block < 2**15 else found)[device]


def _exchanges(
    flows: pa.Table, block: np.ndarray[tuple[int], np.dtype[np.int16 | np.int32]], exchanges: pa.Table | None, many: int
) -> list[Int64]:
    """The rows of exchanges of each block, in their order; a flow between two devices may be in two blocks."""
    if exchanges is None:
        return [np.zeros(0, np.int64)] * many
    number, flow, inbound = whole(exchanges["flow"]), whole(flows["flow"]), whole(flows["inbound"], null=0)
    keys = []
    for side in (0, 1):
        rows = np.flatnonzero(inbound == side)
        owner = joined(flow[rows], number)
        mine = np.flatnonzero(owner != NULL)
        keys.append(block[rows[owner[mine]]] * np.int64(len(number)) + mine)
    every = np.unique(np.concatenate(keys))
    edges = np.searchsorted(every, np.arange(many + 1) * len(number))
    return [every[edges[k] : edges[k + 1]] - k * len(number) for k in range(many)]
