"""How much the look-ups below one domain look like data: never the same name twice, long labels, odd types.

Needs dns. Raised wrongly by reputation look-ups of security agents and mail filters, which put hashes into names.
"""

from __future__ import annotations

ODD_TYPES = frozenset({"TXT", "NULL", "CNAME", "MX", "KEY", "PRIVATE", "TYPE10", "TYPE65399"})


def dns_tunnel(names: list[str], types: list[str]) -> float | None:
    """Share of distinct names times the larger of odd-type share and label length (20 characters 0, 50 give 1).

    ``names``: qnames below one registrable domain, without it; ``types``: their qtypes, same length. None below
    ten look-ups.

    >>> dns_tunnel(["www"] * 20, ["A"] * 20)
    0.0
    >>> dns_tunnel([f"{n:060d}" for n in range(20)], ["TXT"] * 20)
    1.0
    """
    if len(names) < 10:
        return None
    odd = sum(kind in ODD_TYPES for kind in types) / len(types)
    length = sum(map(len, names)) / len(names)
    # a question and its AAAA or repeat make two of one name: half distinct is all distinct
    distinct = min(1.0, 2 * len(set(names)) / len(names)) if len(set(names)) > 2 else 0.0
    return distinct * max(odd, min(1.0, max(0.0, (length - 20) / 30)))
