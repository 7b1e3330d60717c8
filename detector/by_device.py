"""What a telemetry tells of one device, for some devices of many: each table is gone through once for all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import Int64, codes, stable_order
from detector.contract import Telemetry
from detector.packed import plain

TABLES = ("flows", "sockets", "device_state", "packages")


class ByDevice:
    """Flows, their exchanges, sockets, states and inventory of some devices."""

    def __init__(self, telemetry: Telemetry, devices: Collection[str]) -> None:
        self.telemetry = telemetry
        self.rows = {name: _rows(telemetry[name], devices) for name in TABLES if name in telemetry}
        self.exchanges: pa.Table | None = None
        if "exchanges" in telemetry:
            every = [np.zeros(0, np.int64), *self.rows["flows"].values()]
            self.exchanges = _of_flows(
                telemetry["exchanges"], telemetry["flows"]["flow"].take(pa.array(np.concatenate(every)))
            )

    def of(self, device: str) -> Telemetry:
        """Those of one of the devices, rows in their order, texts plain; no other table, and no capture."""
        nothing = np.zeros(0, np.int64)
        tables = {
            name: plain(self.telemetry[name].take(pa.array(rows.get(device, nothing))))
            for name, rows in self.rows.items()
        }
        if self.exchanges is not None:
            tables["exchanges"] = _of_flows(self.exchanges, tables["flows"]["flow"])
        return replace(self.telemetry, tables=tables, capture=None, packets=None)


def _of_flows(exchanges: pa.Table, numbers: pa.ChunkedArray) -> pa.Table:
    return exchanges.filter(pc.is_in(exchanges["flow"], numbers))


def _rows(table: pa.Table, devices: Collection[str]) -> dict[str, Int64]:
    """The rows of each of the devices that has any."""
    device = codes(table["device"])
    wanted = np.array([text in devices for text in device.texts] + [False])[device.code]
    rows = np.flatnonzero(wanted)
    rows = rows[stable_order(device.code[rows])]
    kinds, heads = np.unique(device.code[rows], return_index=True)
    return (
        {device.texts[kind]: part for kind, part in zip(kinds.tolist(), np.split(rows, heads[1:]), strict=True)}
        if len(rows)
        else {}
    )
