"""What the gateway's addon wrote, read on the host: the events of a capture, and the HTTP requests among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.contract import SCHEMAS
from lab.errors import StageError
from lab.stages.live.gateway.image.events import VERSION

_COPIED = ("sni", "host", "method", "path", "status", "bytes_up", "bytes_down", "user_agent")


def events(path: Path) -> Iterator[dict[str, Any]]:
    """The events in the order written; see ``image/events.py`` and ``image/addon.py`` for their fields.

    A last line without its end is left out: its writer was killed. StageError names the line that is no event of this
    version.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
            except ValueError as fault:
                raise StageError(f"{path}: line {number}: not JSON ({fault})") from fault
            version = row.get("v") if isinstance(row, dict) else None
            if version != VERSION:
                raise StageError(f"{path}: line {number}: version {version!r}; expected {VERSION}")
            yield row


def noted_faults(rec: Path, name: str) -> list[str]:
    """What the gateway wrote down of its own end, for this capture or before there was one; oldest first."""
    found: list[str] = []
    for path in (rec / f"{name}.fault", rec / "gateway.fault"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        found += [_reason(line) for line in lines]
    return list(dict.fromkeys(found))


def _reason(line: str) -> str:
    try:
        return f"gateway: {json.loads(line)['reason']}"
    except (ValueError, LookupError, TypeError):
        return f"gateway: {line[:200]}"


def http_rows(rows: Iterable[Mapping[str, Any]], devices: Mapping[str, str] | None = None) -> pa.Table:
    """The requests as the columns of SCHEMAS["http"], by time, in the wall clock's microseconds.

    ``devices``: name by address; without it the column ``device`` is null and to be filled by the caller. StageError
    for a client that is no device. A request that got no whole answer ends with the last that was heard of it.
    """
    found = [_row(row, devices) for row in rows if row["event"] == "http"]
    found.sort(key=lambda row: (row["time"], row["client"], row["client_port"]))
    return pa.Table.from_pylist(found, schema=SCHEMAS["http"])


def _row(row: Mapping[str, Any], devices: Mapping[str, str] | None) -> dict[str, Any]:
    (client, client_port), (server, server_port) = row["client"], row["server"]
    if devices is not None and client not in devices:
        raise StageError(f"a request of {client}, which is no device: {row['method']} {row['path']}")
    heard = (row["end_us"], row["answer_us"], row["request_end_us"], row["time_us"])
    made = {
        "time": row["time_us"],
        "end": next(time for time in heard if time is not None),
        "device": None if devices is None else devices[client],
        "client": client,
        "client_port": client_port,
        "server": server,
        "server_port": server_port,
    }
    return made | {name: row[name] for name in _COPIED}
