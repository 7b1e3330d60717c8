"""Subdomains: how many names below one domain a device asked for in a day, and RITA's C2-over-DNS class of them.

The classes begin at 100, 500, 800 and 1,000 names (default_config.hjson, from memory); between them the score is a line
on the scale of the beacon's, 50, 70, 90 and 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Codes, Int64, numbered
from detector.contacts import Flows
from detector.contract import Telemetry
from detector.grouped import Float64
from detector.lookups import Lookups, read_lookups
from detector.rivals.modifiers import STEP
from detector.rivals.pairs import Who

CLASSES = (0.0, 100.0, 500.0, 800.0, 1000.0)
SCORES = (0.0, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class Subdomains:
    """w windows of one device's look-ups below one domain; times in microseconds."""

    who: Who  # (g,)
    owner: Int64  # (w,)
    number: Int64
    names: Int64  # different ones asked for
    first: Int64
    last: Int64
    direct: Float64  # 0.15 where the device never connected there, 0 where it did; NaN: nobody saw connections

    @property
    def score(self) -> Float64:
        """(w,) the class, and what the lack of connections adds."""
        return subdomain_score(self.names) + np.nan_to_num(self.direct)


def subdomain_score(names: Int64) -> Float64:
    """The score of so many names below one domain.

    >>> subdomain_score(np.array([50, 100, 300, 800, 5000])).tolist()
    [0.25, 0.5, 0.6, 0.9, 1.0]
    """
    return np.asarray(np.interp(names, CLASSES, SCORES), np.float64)


def subdomains(telemetry: Telemetry, length: int) -> Subdomains:
    """The look-ups of that telemetry, in windows of that length; Unsupported without dns."""
    flows = Flows.read(telemetry["flows"]) if "flows" in telemetry else None
    asked = read_lookups(telemetry["dns"], flows)
    number = (asked.time - telemetry.span[0]) // length
    group, one = numbered(asked.device.code, asked.domain.code)
    nobody = np.full(len(one), NULL, np.int64)
    device, domain = (Codes(column.code[one], column.texts) for column in (asked.device, asked.domain))
    who = Who(device, nobody, Codes(nobody, []), domain)
    window, head = numbered(group, number)
    names = np.unique(np.stack([window, asked.qname.code]), axis=1)[0]
    order = np.lexsort((asked.time, window))
    edges = np.append(0, np.cumsum(np.bincount(window, minlength=len(head)))).astype(np.int64)
    time = asked.time[order]
    return Subdomains(
        who=who,
        owner=group[head],
        number=number[head],
        names=np.bincount(names, minlength=len(head)).astype(np.int64),
        first=time[edges[:-1]] if len(head) else time,
        last=time[edges[1:] - 1] if len(head) else time,
        direct=_direct(asked, window, len(head), seen=flows is not None),
    )


def _direct(asked: Lookups, window: Int64, count: int, *, seen: bool) -> Float64:
    if not seen:
        return np.full(count, np.nan)
    visited = np.bincount(window[~asked.unused], minlength=count) > 0
    return np.where(visited, 0.0, STEP)
