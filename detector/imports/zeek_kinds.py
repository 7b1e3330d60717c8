"""The logs of Zeek that are read, their columns, and which log a file in JSON is.

Columns and types are those of Zeek's scripts (base/protocols/*/main.zeek), as the facts beside this project and real
logs show them. A label column is in no list, so it is never even parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from detector.imports.delimited import FLAG, PORT, REAL, TEXT, TIME, WHOLE

_ENDS = {
    "ts": TIME,
    "uid": TEXT,
    "id.orig_h": TEXT,
    "id.orig_p": PORT,
    "id.resp_h": TEXT,
    "id.resp_p": PORT,
}
#: Of each log that is read, the columns that are.
KINDS: Mapping[str, Mapping[str, str]] = {
    "conn": {
        **_ENDS,
        "proto": TEXT,
        "service": TEXT,
        "duration": REAL,
        "orig_bytes": WHOLE,
        "resp_bytes": WHOLE,
        "conn_state": TEXT,
        "local_orig": FLAG,
        "local_resp": FLAG,
        "history": TEXT,
        "orig_pkts": WHOLE,
        "orig_ip_bytes": WHOLE,
        "resp_pkts": WHOLE,
        "resp_ip_bytes": WHOLE,
    },
    "dns": {
        **_ENDS,
        "proto": TEXT,
        "rtt": REAL,
        "query": TEXT,
        "qtype": WHOLE,
        "qtype_name": TEXT,
        "rcode": WHOLE,
        "answers": TEXT,
    },
    "ssl": {**_ENDS, "server_name": TEXT, "next_protocol": TEXT, "ja4": TEXT},
    "http": {
        **_ENDS,
        "method": TEXT,
        "host": TEXT,
        "uri": TEXT,
        "user_agent": TEXT,
        "status_code": WHOLE,
    },
    "quic": {**_ENDS, "server_name": TEXT, "client_protocol": TEXT},
    "socks": {**_ENDS, "version": WHOLE, "status": TEXT, "request.host": TEXT, "request.name": TEXT, "request_p": PORT},
    "websocket": {**_ENDS, "host": TEXT, "user_agent": TEXT},
}
#: In JSON, a key that lines of one log have and those of the others have not; the first that fits decides.
_TELLING = (
    ("conn", ("conn_state", "missed_bytes", "orig_ip_bytes")),
    ("dns", ("trans_id", "query", "qtype")),
    ("http", ("trans_depth", "status_code", "request_body_len")),
    ("quic", ("client_initial_dcid", "server_scid")),
    ("websocket", ("server_extensions", "client_key")),
    ("socks", ("request_p", "bound_p", "request.host", "request_host")),
    ("ssl", ("cipher", "resumed", "established", "server_name", "ja3")),
)
_ARROW = {
    TIME: pa.float64(),
    REAL: pa.float64(),
    WHOLE: pa.int64(),
    PORT: pa.int64(),
    TEXT: pa.string(),
    FLAG: pa.bool_(),
}
_LISTS = ("answers",)


def kind_of(line: Mapping[str, Any]) -> str | None:
    """Which log a line in JSON belongs to; None for one that is not read."""
    for key in ("_path", "@stream"):
        if key in line:
            return str(line[key])
    return next((kind for kind, keys in _TELLING if any(key in line for key in keys)), None)


def json_schema(kind: str, sample: Mapping[str, Any]) -> pa.Schema:
    """The columns of a log in JSON as a sample line has them: ``id.orig_h`` or ``id_orig_h``, times as text or not."""
    fields: list[tuple[str, pa.DataType]] = []
    for name, what in KINDS[kind].items():
        stored = pa.list_(pa.string()) if name in _LISTS else _ARROW[what]
        if name == "ts" and isinstance(sample.get("ts"), str):
            stored = pa.string()
        fields.append((json_name(name, sample), stored))
    return pa.schema(fields)


def json_name(name: str, sample: Mapping[str, Any]) -> str:
    """What a column is called in a file of which this is a line."""
    flat = name.replace(".", "_")
    return flat if "." in name and "id_orig_h" in sample else name
