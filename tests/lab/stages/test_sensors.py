"""The tables beside the capture: schemas of the contract, values of the timeline."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from detector.contract import SCHEMAS
from lab.stages.wire import play


@pytest.fixture
def tables(tiny, tmp_path):
    folder = play(tiny, tmp_path / "rec") / "telemetry"
    return {name: pq.read_table(folder / f"{name}.parquet") for name in ("sockets", "device_state", "packages", "http")}


def test_tables_have_the_columns_of_the_contract(tables):
    for name, table in tables.items():
        assert table.schema.equals(SCHEMAS[name]), name


def test_sockets_open_and_close_in_pairs_and_listeners_listen(tables):
    rows = tables["sockets"].to_pylist()
    events = [row["event"] for row in rows]
    assert {event: events.count(event) for event in set(events)} == {"connect": 5, "accept": 1, "close": 7, "listen": 1}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    (accept,) = [row for row in rows if row["event"] == "accept"]
    assert (accept["local_address"], accept["local_port"], accept["peer_address"]) == (
        "10.88.3.4",
        1080,
        "198.19.200.1",
    )
    (listen,) = [row for row in rows if row["event"] == "listen"]
    assert (listen["uid"], listen["local_port"], listen["peer_address"]) == (10123, 1080, None)


def test_a_connection_s_close_counts_what_the_truth_says_it_carried(tiny, tmp_path):
    folder = play(tiny, tmp_path / "counted")
    rows = pq.read_table(folder / "telemetry/sockets.parquet").to_pylist()
    closes = [row for row in rows if row["event"] == "close" and row["peer_address"] is not None]
    found = sorted((row["bytes_up"], row["bytes_down"]) for row in closes)
    lines = (folder / "truth/conn.log.labeled").read_text().splitlines()
    (fields,) = [line.split("\t")[1:] for line in lines if line.startswith("#fields")]
    zeek = [dict(zip(fields, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]
    assert found == sorted((int(row["orig_bytes"]), int(row["resp_bytes"])) for row in zeek)
    assert max(found) > (0, 0)
    assert {row["bytes_up"] for row in rows if row not in closes} == {None}


def test_lookups_belong_to_netd(tables):
    (dns,) = [r for r in tables["sockets"].to_pylist() if r["peer_port"] == 53 and r["event"] == "connect"]
    assert (dns["uid"], dns["proto"]) == (1051, "udp")


def test_states_say_who_is_in_front_or_nobody(tables):
    rows = tables["device_state"].to_pylist()
    assert [(row["device"], row["foreground_uid"], row["power_state"]) for row in rows] == [
        ("phone-01", 10123, "interactive"),
        ("phone-01", None, "idle"),
        ("phone-02", None, "doze-light"),
    ]


def test_packages_are_ordered_by_uid_and_keep_their_roles(tables):
    rows = tables["packages"].to_pylist()
    assert [(row["device"], row["uid"]) for row in rows] == [
        ("phone-01", 1051),
        ("phone-01", 10123),
        ("phone-02", 10124),
    ]
    assert rows[2]["roles"] == ["vpn"]
