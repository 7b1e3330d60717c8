"""The columns of Zeek's conn.log in our words: times, counts, whether both sides spoke, which end is its own.

Meaning of conn_state, history and of unset counts: Zeek's base/protocols/conn/main.zeek (from memory): a connection
without duration has its byte counts unset, although its history and packet counts tell that nothing was said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.headers import payload
from detector.imports.moments import microseconds

#: Both sides took part: SYN and SYN-ACK were seen.
_SHAKEN = ("S1", "SF", "S2", "S3", "RSTO", "RSTR")


def conn_columns(conn: pa.Table) -> dict[str, Any]:
    """start, end, established, counts, services and local ends of the connections."""
    start = microseconds(conn["ts"])
    lasted = pc.fill_null(conn["duration"], 0.0)
    length = pa.array(np.rint(np.asarray(lasted.to_numpy()) * 1e6).astype(np.int64))
    return {
        "start": start,
        "end": pc.add(start, length),
        "established": _established(conn),
        "packets_up": conn["orig_pkts"],
        "packets_down": conn["resp_pkts"],
        "bytes_up": _bytes(conn, "orig", "D"),
        "bytes_down": _bytes(conn, "resp", "d"),
        "opened": pc.or_kleene(pc.not_equal(conn["proto"], "tcp"), pc.match_substring(conn["history"], "S")),
        "service": conn["service"],
        "local_client": conn["local_orig"],
        "local_server": conn["local_resp"],
    }


def _established(conn: pa.Table) -> Any:
    """TCP: SYN answered with SYN-ACK, or data both ways; else packets both ways; null where neither is told."""
    tcp = pc.equal(conn["proto"], "tcp")
    state, history = conn["conn_state"], conn["history"]
    both_data = pc.and_(pc.match_substring(history, "D"), pc.match_substring(history, "d"))
    shaken = pc.if_else(pc.is_valid(state), pc.is_in(state, value_set=pa.array(_SHAKEN)), None)
    answered = pc.and_(pc.greater(conn["orig_pkts"], 0), pc.greater(conn["resp_pkts"], 0))
    return pc.if_else(tcp, pc.or_kleene(shaken, both_data), pc.coalesce(answered, both_data))


def _bytes(conn: pa.Table, side: str, data: str) -> Any:
    """Payload bytes: as counted; else 0 where the history has no data; else what the headers leave of UDP."""
    silent = pc.fill_null(pc.invert(pc.match_substring(conn["history"], data)), False)
    none = pc.and_(pc.is_null(conn[f"{side}_bytes"]), silent)
    counted = pc.if_else(none, 0, conn[f"{side}_bytes"])
    if not counted.null_count:
        return counted
    left = payload(conn[f"{side}_ip_bytes"], conn[f"{side}_pkts"], conn["proto"], conn["id.orig_h"])
    return pc.coalesce(counted, pc.if_else(pc.equal(conn["proto"], "udp"), left, None))
