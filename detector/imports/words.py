"""Names as other sensors write them, in our writing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.capture.names.dns import TYPES

_NUMBERS = pa.array(list(TYPES), pa.int64())
_TYPES = pa.array(list(TYPES.values()), pa.string())

#: DNS response codes by name (RFC 1035 section 4.1.1, RFC 2136, RFC 6895).
RCODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSET",
    9: "NOTAUTH",
    10: "NOTZONE",
}


def lower(column: Any) -> Any:
    """Host names in lower case, without the final dot; an empty one is null.

    >>> lower(pa.array(["A.Example.", "", None])).to_pylist()
    ['a.example', None, None]
    """
    plain = pc.utf8_rtrim(pc.utf8_lower(column), ".")
    return pc.if_else(pc.equal(plain, ""), None, plain)


def qtype(number: Any, name: Any) -> Any:
    """The type of a look-up by its number, else by the name that the sensor has for it, else TYPE<number>.

    >>> qtype(pa.array([28, None, 4711]), pa.array([None, "TXT", None])).to_pylist()
    ['AAAA', 'TXT', 'TYPE4711']
    """
    listed = _TYPES.take(pc.index_in(number, value_set=_NUMBERS))
    numbered = pc.binary_join_element_wise("TYPE", number.cast(pa.string()), "")
    return pc.coalesce(listed, name, numbered)
