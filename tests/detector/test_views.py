"""Every view only takes away, keeps every schema, and does nothing when applied again."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.contract import SCHEMAS, Telemetry, Unsupported, view
from detector.views import NAME_COLUMNS, PAYLOAD_COLUMNS, VIEWS

PHONE, TABLET, WEB = "10.88.0.2", "10.88.0.3", "198.18.0.7"
ADDRESS = {"phone": PHONE, "tablet": TABLET, "idle": "10.88.0.4"}
T0 = 1_772_409_600_000_000
ESTIMATED = {"start", "end", "packets_up", "packets_down", "bytes_up", "bytes_down", "established"}
CHOICES = {
    "app_proto": ["tls", "quic", "http", "dns", "socks5", None],
    "name_from": ["sni", "host", "dns", None],
    "device": ["phone", "tablet"],
    "proxy_server": ["client", "server", None],
}

every_view = pytest.mark.parametrize("name", VIEWS)
seeds = given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 12), present=st.sets(st.sampled_from(list(SCHEMAS))))


def column(rng: np.random.Generator, field: pa.Field, rows: int) -> pa.Array:
    """Random values of a column, a third of them null; keys and times are whole."""
    if field.name in CHOICES:
        return pa.array([CHOICES[field.name][k] for k in rng.integers(0, len(CHOICES[field.name]), rows)], field.type)
    if pa.types.is_boolean(field.type):
        return pa.array(rng.random(rows) < 0.5)
    if pa.types.is_list(field.type):
        return pa.array([[f"x{k}"] for k in rng.integers(0, 9, rows)], field.type)
    if pa.types.is_string(field.type):
        return pa.array([f"t{k}" if k % 3 else None for k in rng.integers(0, 99, rows)], field.type)
    top = 400 if field.name.startswith("packets") else 1_000_000
    return pa.array(rng.integers(1, top, rows) + (T0 if field.name in ("time", "start", "end") else 0), field.type)


def telemetry(seed: int, rows: int, present: set[str]) -> Telemetry:
    rng = np.random.default_rng(seed)
    tables = {}
    for name, schema in SCHEMAS.items():
        made = {field.name: column(rng, field, rows) for field in schema}
        if name == "flows":
            inbound, device = made["inbound"].to_pylist(), made["device"].to_pylist()
            owned = [ADDRESS[d] for d in device]
            made["flow"] = pa.array(range(rows), pa.int64())
            made["client"] = pa.array([WEB if i else a for i, a in zip(inbound, owned, strict=True)], pa.string())
            made["server"] = pa.array([a if i else WEB for i, a in zip(inbound, owned, strict=True)], pa.string())
            made["end"] = pa.array([start + 5_000_000 for start in made["start"].to_pylist()], pa.int64())
        if name in present:
            tables[name] = pa.table(made, schema)
    return Telemetry(tables, (T0, T0 + 1_000_000), capture=Path("capture.pcap"), packets=9, partial="cut")


def whole_telemetry(rows: int = 200) -> Telemetry:
    return telemetry(7, rows, set(SCHEMAS))


def same(one: Telemetry, other: Telemetry) -> bool:
    plain = (one.span, one.view, one.capture, one.packets, one.partial)
    return plain == (other.span, other.view, other.capture, other.packets, other.partial) and one.tables == other.tables


def added(less: pa.Table, more: pa.Table, free: set[str]) -> list[str]:
    """What stands in ``less`` but not in the row of ``more`` with the same flow."""
    before = {row["flow"]: row for row in more.to_pylist()}
    return [
        f"{name} of flow {row['flow']}"
        for row in less.to_pylist()
        for name, value in row.items()
        if value is not None
        and value != before[row["flow"]][name]
        and not (name in free and before[row["flow"]][name] is not None)
    ]


@every_view
@seeds
@settings(max_examples=15, deadline=None)
def test_view_only_takes_away(name: str, seed: int, rows: int, present: set[str]) -> None:
    before = telemetry(seed, rows, present)
    after = VIEWS[name](before)
    assert set(after.tables) <= set(before.tables)
    assert {table: content.schema for table, content in after.tables.items()} == {
        table: SCHEMAS[table] for table in after.tables
    }
    assert (after.span, after.partial) == (before.span, before.partial)
    assert after.capture in (None, before.capture)
    for table in set(after.tables) - {"flows", "http", "device_state"}:
        assert after[table] == before[table]
    if "flows" in after:
        assert after["flows"].num_rows <= before["flows"].num_rows
        assert added(after["flows"], before["flows"], {"device"} | (ESTIMATED if "sampled" in name else set())) == []


@every_view
@seeds
@settings(max_examples=15, deadline=None)
def test_view_twice_is_view_once(name: str, seed: int, rows: int, present: set[str]) -> None:
    once = VIEWS[name](telemetry(seed, rows, present))
    assert same(VIEWS[name](once), once)


def test_the_check_for_added_values_fires() -> None:
    flows = whole_telemetry()["flows"]
    named = flows.set_column(flows.schema.get_field_index("sni"), flows.schema.field("sni"), pa.array(["new"] * 200))
    assert len(added(named, flows, set())) == 200
    assert any(text.startswith("sni") for text in added(named, flows, {"sni"}))


@every_view
def test_view_says_its_name_and_the_sensor_it_stands_for(name: str) -> None:
    assert VIEWS[name](whole_telemetry()).view == name
    assert len(VIEWS[name].__doc__ or "") > 60
    assert view(name) is VIEWS[name]


def test_the_ladder_is_that_of_the_design() -> None:
    expected = "full no-decryption no-state no-app no-sni netflow dns-only sampled-1in100"
    assert list(VIEWS) == expected.split()


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("full", set()),
        ("no-decryption", {"http"}),
        ("no-state", {"device_state"}),
        ("no-app", {"sockets", "packages"}),
        ("no-sni", {"dns", "http"}),
        ("netflow", set(SCHEMAS) - {"flows"}),
        ("dns-only", set(SCHEMAS) - {"dns"}),
        ("sampled-1in100", set(SCHEMAS) - {"flows"}),
    ],
)
def test_tables_that_go(name: str, gone: set[str]) -> None:
    after = VIEWS[name](whole_telemetry())
    assert set(SCHEMAS) - set(after.tables) == gone
    assert (after.capture is None) == (name in ("no-sni", "netflow", "dns-only", "sampled-1in100"))
    for table in gone:
        with pytest.raises(Unsupported, match=name):
            after[table]


def null_columns(table: pa.Table) -> set[str]:
    return {name for name in table.column_names if table[name].null_count == table.num_rows}


def test_no_app_knows_addresses_and_no_app() -> None:
    after = VIEWS["no-app"](whole_telemetry())
    assert null_columns(after["flows"]) == {"uid", "package"}
    for row in after["flows"].to_pylist():
        assert row["device"] == (row["server"] if row["inbound"] else row["client"])
    assert after["http"]["device"] == after["http"]["client"]
    assert null_columns(after["device_state"]) == {"foreground_uid"}
    assert set(after["device_state"]["device"].to_pylist()) == {PHONE, TABLET}


def test_no_app_gives_a_state_to_each_address_of_the_device_and_none_to_strangers() -> None:
    rows: list[dict[str, Any]] = [
        {"flow": k, "device": "phone", "inbound": False, "client": a} for k, a in enumerate((PHONE, "2001:db8::2"))
    ]
    states: list[dict[str, Any]] = [
        {"time": T0 + k, "device": d, "screen_on": True} for k, d in enumerate(("phone", "idle"))
    ]
    tables = {
        name: pa.table(
            {f.name: pa.array([row.get(f.name) for row in listed], f.type) for f in SCHEMAS[name]}, SCHEMAS[name]
        )
        for name, listed in (("flows", rows), ("device_state", states))
    }
    after = VIEWS["no-app"](Telemetry(tables, (T0, T0)))["device_state"].to_pylist()
    assert [(row["time"], row["device"], row["screen_on"]) for row in after] == [
        (T0, PHONE, True),
        (T0, "2001:db8::2", True),
    ]


def test_no_sni_hides_names_of_tls_and_dns_but_not_of_clear_http() -> None:
    before, after = whole_telemetry()["flows"].to_pylist(), VIEWS["no-sni"](whole_telemetry())["flows"].to_pylist()
    kept = 0
    for old, new in zip(before, after, strict=True):
        assert new["sni"] is None
        assert (new["alpn"], new["ja4"], new["app_proto"], new["uid"]) == (
            old["alpn"],
            old["ja4"],
            old["app_proto"],
            old["uid"],
        )
        if old["app_proto"] in ("tls", "quic") or old["name_from"] in ("sni", "dns"):
            assert (new["name"], new["name_from"]) == (None, None)
        else:
            assert new["name"] == old["name"]
            kept += new["name"] is not None
    assert kept > 5


@pytest.mark.parametrize("name", ["netflow", "sampled-1in100"])
def test_flow_records_hold_no_payload_and_no_app(name: str) -> None:
    flows = VIEWS[name](whole_telemetry())["flows"]
    assert flows.num_rows > 50
    assert null_columns(flows) == {*PAYLOAD_COLUMNS, "uid", "package"}
    assert set(NAME_COLUMNS) < set(PAYLOAD_COLUMNS)
