"""IP addresses in the one spelling that our tables use: RFC 5952, as captures are read.

Suricata writes every zero of an IPv6 address, Java some of them, inet_ntop(3) none; joined as texts they never meet.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def canonical(text: str) -> str:
    """The address as RFC 5952 writes it; what is no IPv6 address as it is.

    >>> canonical("2001:0DB8:0000:0000:0000:0000:0000:0001"), canonical("10.0.0.1"), canonical("a:b")
    ('2001:db8::1', '10.0.0.1', 'a:b')
    """
    try:
        return str(ipaddress.IPv6Address(text)) if ":" in text else text
    except ValueError:
        return text


def canonical_column(column: Any) -> Any:
    """The same of a column of text; null for null."""
    if not pc.any(pc.match_substring(column, ":")).as_py():
        return column
    kinds = pc.unique(column)
    texts = [None if text is None else canonical(text) for text in kinds.to_pylist()]
    return pa.array(texts, pa.string()).take(pc.index_in(column, value_set=kinds))
