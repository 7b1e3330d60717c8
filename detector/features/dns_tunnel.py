"""How much the look-ups below one domain look like data: never the same name twice, long labels, odd types.

Needs dns. Raised wrongly by reputation look-ups of security agents and mail filters, which put hashes into names.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_kinds, grouped_sum

ODD_TYPES = frozenset({"TXT", "NULL", "CNAME", "MX", "KEY", "PRIVATE", "TYPE10", "TYPE65399"})
LEAST = 10


def dns_tunnel(name: Int64, length: Int64, odd: np.ndarray[tuple[int], np.dtype[np.bool_]], edges: Int64) -> Float64:
    """(g,) share of distinct names times the larger of odd-type share and label length (20 characters 0, 50 give 1).

    ``name``: (m,) numbers of the qnames asked below one registrable domain, ``length``: their characters without it,
    ``odd``: whether the type asked for is one of ODD_TYPES; group after group. NaN below ten look-ups.

    >>> every, once = np.array([0, 20]), np.zeros(20, int)
    >>> dns_tunnel(once, once + 3, once > 0, every).tolist()
    [0.0]
    >>> dns_tunnel(np.arange(20), once + 60, once == 0, every).tolist()
    [1.0]
    """
    counts = np.diff(edges)
    group, _ = grouped_kinds(name, edges)
    names = np.bincount(group, minlength=len(counts))
    # a question and its AAAA or repeat make two of one name: half distinct is all distinct
    distinct = np.where(names > 2, np.minimum(1.0, 2 * names / counts), 0.0)
    long = np.clip((grouped_sum(length, edges) / counts - 20) / 30, 0, 1)
    return np.where(counts >= LEAST, distinct * np.maximum(grouped_sum(odd, edges) / counts, long), np.nan)
