"""HTTP archives (HAR 1.2) of mitmproxy, PCAPdroid or a browser: decrypted requests, each also a flow of its own.

An archive names no client, so every request is of one device that is called "client". Bytes are those of the HTTP
message, headers and body; what TLS adds is not told, nor are packets.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from detector.contract import microseconds
from detector.imports.account import Account, Faults
from detector.imports.arrays import elements
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.tables import SCHEMAS

CLIENT = "client"
_ENTRIES = re.compile(r'"entries"\s*:\s*\[')
_DEFAULT = {"http": 80, "ws": 80}
_FLOWS = pa.schema(
    [
        ("key", pa.int64()),
        *(
            (one.name, one.type)
            for one in SCHEMAS["flows"]
            if one.name
            in (
                "start",
                "end",
                "client",
                "server",
                "server_port",
                "proto",
                "established",
                "bytes_up",
                "bytes_down",
                "app_proto",
                "sni",
                "host",
                "method",
                "user_agent",
            )
        ),
        ("local_client", pa.bool_()),
    ]
)


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The requests of an archive; an account counts entries."""
    text = bytes(log.data).decode("utf-8", "replace")
    found = _ENTRIES.search(text)
    if found is None:
        faults.add(f"{log.path}, line 1", "no entries", "an object log with a list entries")
        return Told(None)
    flows, requests = [], []
    wrong: list[tuple[int, str, str]] = []
    entries = elements(text, found.end() - 1, str(log.path), faults)
    for number, entry in enumerate(entries, 1):
        try:
            flow, request = _entry(entry)
            for row, schema in ((flow, _FLOWS), (request, SCHEMAS["http"])):
                pa.RecordBatch.from_pylist(
                    [row], schema
                )  # a number for a text, or one that no column holds, is refused
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, pa.ArrowException) as fault:
            wrong.append((number, f"entry {number} without {fault}"[:120], "startedDateTime, time, request, response"))
            continue
        flows.append({**flow, "key": number})
        requests.append(request)
    account.lines = len(entries)
    account.row("http", len(requests))
    account.leave("unreadable", len(wrong))
    if wrong:
        faults.add(f"{log.path}: {len(wrong)} of {len(entries)} entries", wrong[0][1], wrong[0][2])
    return Told(pa.Table.from_pylist(flows, _FLOWS), {"http": pa.Table.from_pylist(requests, SCHEMAS["http"])})


def _entry(entry: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One entry as a flow and as a row of the http table."""
    request, response = entry["request"], entry["response"]
    start = microseconds(entry["startedDateTime"])
    end = start + round(max(float(entry.get("time") or 0), 0) * 1000)
    url = urlsplit(request["url"])
    host = (url.hostname or "").rstrip(".") or None
    secured = url.scheme in ("https", "wss")
    status = int(response.get("status") or 0) or None
    server = str(entry.get("serverIPAddress") or host or "").strip("[]") or None
    port = url.port or (443 if secured else _DEFAULT.get(url.scheme, 443))
    up, down = _size(request), _size(response)
    agent = next((one["value"] for one in request.get("headers", []) if one["name"].lower() == "user-agent"), None)
    both = {"client": CLIENT, "server": server, "server_port": port, "sni": host if secured else None}
    both |= {"end": end, "bytes_up": up, "bytes_down": down}
    clear = {"host": host, "method": request["method"], "user_agent": agent}
    plain = dict.fromkeys(clear) if secured else clear
    told = {"start": start, "proto": "tcp", "established": status is not None, "local_client": True}
    flow = {**both, **plain, **told, "app_proto": "tls" if secured else "http"}
    path = url.path + (f"?{url.query}" if url.query else "")
    return flow, {**both, **clear, "time": start, "device": CLIENT, "path": path, "status": status}


def _size(message: dict[str, Any]) -> int | None:
    """Bytes of headers and body; null where either is not known (-1)."""
    head, body = int(message.get("headersSize", -1)), int(message.get("bodySize", -1))
    return head + body if head >= 0 and body >= 0 else None
