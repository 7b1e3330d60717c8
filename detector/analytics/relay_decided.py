"""When a relay was sure: the earliest moment at which what was known by then reached the threshold.

Law: the telemetry is cut at moments at which something the app said was over, and judged like any other. Cut at the
moment found it reaches the threshold; cut at the one before it does not. Scores may fall again between: of several
crossings the first one met by doubling, then halving, is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from detector.columns import Int64, whole
from detector.contract import Telemetry
from detector.until import until

Who = tuple[str, int | None, str | None]
FEWEST = 4  # moments before the first look


def of_app(telemetry: Telemetry, who: Who) -> Telemetry:
    """What the telemetry tells of one app: its flows, their exchanges, and its device."""
    device, uid, package = who
    flows = telemetry["flows"]
    mine = pc.equal(flows["device"], device)
    for name, value in (("uid", uid), ("package", package)):
        column = flows[name]
        mine = pc.and_(mine, pc.is_null(column) if value is None else pc.equal(column, value).fill_null(False))
    flows = flows.filter(mine)
    tables = {"flows": flows}
    if "exchanges" in telemetry:
        own = pc.is_in(telemetry["exchanges"]["flow"], flows["flow"])
        tables["exchanges"] = telemetry["exchanges"].filter(own)
    for name in ("sockets", "device_state", "packages"):
        if name in telemetry:
            tables[name] = telemetry[name].filter(pc.equal(telemetry[name]["device"], device))
    return replace(telemetry, tables=tables, capture=None, packets=None)


def moments(telemetry: Telemetry) -> Int64:
    """The distinct times at which an exchange or a flow was over, ascending."""
    names = [name for name in ("flows", "exchanges") if name in telemetry]
    return np.unique(np.concatenate([whole(telemetry[name]["end"]) for name in names]))


def decided(telemetry: Telemetry, fires: Callable[[Telemetry], bool]) -> int | None:
    """The first moment found at which the telemetry until then fires; None if it never does."""
    times = moments(telemetry)
    low, high = -1, FEWEST
    while high < len(times) and not fires(until(telemetry, int(times[high]))):
        low, high = high, 2 * high
    if high >= len(times):
        high = len(times) - 1
        if high <= low or not fires(until(telemetry, int(times[high]))):
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if fires(until(telemetry, int(times[middle]))):
            high = middle
        else:
            low = middle
    return int(times[high])
