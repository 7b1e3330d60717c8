"""Rows of the sockets table out of a sensor's events."""

from __future__ import annotations

import pyarrow as pa

from detector.contract import SCHEMAS
from lab.stages.live.topology.sockets import socket_rows

LOCAL, PEER = ["10.88.1.2", 40000], ["198.18.5.5", 443]


def event(name, **more):
    plain = {"n": 1, "time_us": 5, "event": name, "proto": "tcp", "uid": 10123, "local": LOCAL, "peer": PEER}
    return {**plain, "bytes_up": None, "bytes_down": None, **more}


def test_rows_have_the_columns_of_the_contract_and_fit_its_types():
    events = [
        {"n": 1, "time_us": 1, "event": "ready", "network": {}},
        event("listen", peer=None, local=["0.0.0.0", 1080]),
        event("connect"),
        event("close", bytes_up=10, bytes_down=2000, uid=None),
        {"n": 5, "time_us": 9, "event": "lost", "what": "packets", "count": 3},
        {"n": 6, "time_us": 9, "event": "end", "counts": {}},
    ]
    rows = socket_rows(events, "phone-01")
    assert [set(row) for row in rows] == [set(SCHEMAS["sockets"].names)] * 3
    table = pa.Table.from_pylist(rows, schema=SCHEMAS["sockets"])
    assert table["event"].to_pylist() == ["listen", "connect", "close"]
    assert table["peer_port"].to_pylist() == [None, 443, 443]
    assert (table["uid"].to_pylist()[2], table["bytes_down"].to_pylist()[2]) == (None, 2000)
    assert set(table["device"].to_pylist()) == {"phone-01"}


def test_nothing_is_no_rows():
    assert socket_rows([], "phone-01") == []
