"""Told flows as telemetry tables."""

import pyarrow as pa

from detector.derived import DERIVED
from detector.imports.locality import Known
from detector.imports.sessions import Told, tables
from detector.tables import SCHEMAS

ROWS = [
    {"key": 5, "start": 20, "client": "10.0.0.2", "server": "9.9.9.9", "host": "b.example", "method": "CONNECT"},
    {"key": 3, "start": 10, "client": "10.0.0.2", "server": "9.9.9.8", "sni": "a.example", "host": "x"},
    {"key": 4, "start": 30, "client": "10.0.0.2", "server": "9.9.9.7"},
]


def told(**others):
    return Told(
        pa.Table.from_pylist(
            ROWS,
            pa.schema(
                [
                    ("key", pa.int64()),
                    ("start", pa.int64()),
                    *((n, pa.string()) for n in ("client", "server", "host", "method", "sni")),
                ]
            ),
        ),
        others,
    )


def test_flows_are_numbered_by_start_and_what_is_not_told_is_null():
    flows = tables(told(), Known())["flows"]
    assert flows.schema == SCHEMAS["flows"]
    rows = flows.to_pylist()
    assert [(row["flow"], row["name"], row["name_from"]) for row in rows] == [
        (0, "a.example", "sni"),
        (1, None, None),
        (2, None, None),
    ]
    assert {rows[0][name] for name in ("bytes_up", "established", "proto", "uid")} == {None}


def test_other_tables_join_by_key_and_name_what_has_none():
    dns = pa.Table.from_pylist(
        [{"flow": 4, "time": 29, "answered": 29, "client": "10.0.0.2", "qname": "c.example", "answers": ["9.9.9.7"]}],
        DERIVED["dns"],
    )
    made = tables(told(dns=dns), Known())
    assert made["dns"]["flow"].to_pylist() == [2]
    assert [(row["name"], row["name_from"]) for row in made["flows"].to_pylist()][2] == ("c.example", "dns")


def test_look_ups_without_flows_are_each_their_own():
    dns = pa.Table.from_pylist([{"time": 9}, {"time": 3}], DERIVED["dns"])
    assert tables(Told(None, {"dns": dns}), Known())["dns"].select(["flow", "time"]).to_pylist() == [
        {"flow": 0, "time": 3},
        {"flow": 1, "time": 9},
    ]


def test_a_table_without_rows_is_absent():
    assert set(tables(told(dns=DERIVED["dns"].empty_table()), Known())) == {"flows"}
