"""When requests to relay had been answered: from there on it is known whether they were granted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.columns import Int64, whole


def answered(number: Int64, end: Int64, socks5: npt.NDArray[np.bool_], exchanges: pa.Table | None) -> Int64:
    """(m,) of flows that bear a request, when their first exchange with bytes both ways was over, or else they were.

    SOCKS5 greets first and asks then (RFC 1928, sections 3 and 4): there it is the second.
    """
    if exchanges is None:
        return end
    both = np.flatnonzero((whole(exchanges["bytes_up"]) > 0) & (whole(exchanges["bytes_down"]) > 0))
    flow, over = whole(exchanges["flow"])[both], whole(exchanges["end"])[both]
    order = np.lexsort((over, flow))
    flow, over = flow[order], np.append(over[order], 0)
    place = np.searchsorted(flow, number) + socks5
    told = place < np.searchsorted(flow, number, side="right")
    return np.where(told, over[np.minimum(place, len(flow))], end)
