"""A sensor's events as rows of the sockets table, wall clock, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SOCKET_EVENTS = frozenset({"listen", "accept", "connect", "raw", "close"})


def socket_rows(events: Iterable[Mapping[str, Any]], device: str) -> list[dict[str, Any]]:
    """One row, columns of SCHEMAS["sockets"], per event of a socket; what the sensor says of itself is left out.

    Times are the wall clock's, in microseconds since the epoch: the recorder maps them to the scenario's.
    """
    return [_row(event, device) for event in events if event["event"] in SOCKET_EVENTS]


def _row(event: Mapping[str, Any], device: str) -> dict[str, Any]:
    local_address, local_port = event["local"]
    peer_address, peer_port = event["peer"] or (None, None)
    return {
        "time": event["time_us"],
        "device": device,
        "uid": event["uid"],
        "event": event["event"],
        "proto": event["proto"],
        "local_address": local_address,
        "local_port": local_port,
        "peer_address": peer_address,
        "peer_port": peer_port,
        "bytes_up": event["bytes_up"],
        "bytes_down": event["bytes_down"],
    }
