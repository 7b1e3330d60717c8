"""Whose flow: raw captures, sockets within the tolerance, listeners, two monitored ends."""

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from detector.attribution import TOLERANCE_US, attribute
from detector.contract import SCHEMAS

ADDED = {"device", "inbound", "uid", "package"}
NEUTRAL = pa.schema([field for field in SCHEMAS["flows"] if field.name not in ADDED])
PHONE, TABLET, WEB, OTHER = "10.88.0.2", "10.88.0.3", "198.18.0.7", "198.18.0.8"
T0 = 1_772_409_600_000_000


def table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema}, schema
    )


def flow(client: str, server: str, **more: Any) -> dict[str, Any]:
    plain = {"client": client, "server": server, "client_port": 40_000, "server_port": 443, "proto": "tcp", "start": T0}
    return plain | more


def flows(*rows: dict[str, Any]) -> pa.Table:
    return table(NEUTRAL, [row | {"flow": number} for number, row in enumerate(rows)])


def event(kind: str, at: int = T0, **more: Any) -> dict[str, Any]:
    plain = {"event": kind, "time": at, "device": "phone", "uid": 10_100, "proto": "tcp", "local_address": PHONE}
    return plain | {"local_port": 40_000, "peer_address": WEB, "peer_port": 443} | more


def sockets(*rows: dict[str, Any]) -> pa.Table:
    return table(SCHEMAS["sockets"], list(rows))


def whose(found: pa.Table) -> list[tuple[Any, ...]]:
    assert found.schema == SCHEMAS["flows"]
    return [(row["flow"], row["device"], row["inbound"], row["uid"], row["package"]) for row in found.to_pylist()]


def test_raw_capture_takes_every_dialler_for_a_device() -> None:
    found = attribute(flows(flow(PHONE, WEB), flow(TABLET, PHONE), flow(WEB, "224.0.0.251")))
    assert whose(found) == [
        (0, PHONE, False, None, None),
        (0, WEB, True, None, None),
        (1, TABLET, False, None, None),
        (1, PHONE, True, None, None),
        (2, WEB, False, None, None),
    ]


@pytest.mark.parametrize("address", ["224.0.0.251", "239.255.255.250", "255.255.255.255", "ff02::fb", "0.0.0.0", "::"])
def test_nobody_is_never_a_device(address: str) -> None:
    found = attribute(flows(flow(address, WEB), flow(PHONE, address, proxy="socks5", proxy_server="server")))
    assert whose(found) == [(1, PHONE, False, None, None)]


def test_address_that_never_dials_needs_proxy_evidence() -> None:
    asked = flow(PHONE, WEB, proxy="socks5", proxy_server="server")
    back = flow(PHONE, OTHER, proxy="socks5", proxy_server="client")
    assert whose(attribute(flows(asked, back, flow(PHONE, "198.18.0.9")))) == [
        (0, PHONE, False, None, None),
        (0, WEB, True, None, None),
        (1, PHONE, False, None, None),
        (2, PHONE, False, None, None),
    ]


@pytest.mark.parametrize(
    ("shift", "uid"), [(0, 10_100), (-TOLERANCE_US, 10_100), (TOLERANCE_US, 10_100), (TOLERANCE_US + 1, None)]
)
def test_uid_is_that_of_the_socket_within_the_tolerance(shift: int, uid: int | None) -> None:
    found = attribute(flows(flow(PHONE, WEB)), sockets(event("connect", T0 + shift)))
    assert whose(found) == [(0, "phone", False, uid, None)]


def test_nearest_event_wins_when_a_port_is_used_again() -> None:
    events = sockets(
        event("connect", T0 - 900_000), event("connect", T0 + 400_000, uid=10_200), event("accept", T0, uid=7)
    )
    assert whose(attribute(flows(flow(PHONE, WEB)), events)) == [(0, "phone", False, 10_200, None)]


@pytest.mark.parametrize(
    "other",
    [
        {"local_port": 40_001},
        {"peer_port": 80},
        {"peer_address": OTHER},
        {"proto": "udp"},
        {"event": "accept"},
        {"uid": None},
    ],
)
def test_event_that_differs_in_one_thing_says_nothing(other: dict[str, Any]) -> None:
    assert whose(attribute(flows(flow(PHONE, WEB)), sockets(event("connect") | other))) == [
        (0, "phone", False, None, None)
    ]


def test_flow_between_two_devices_has_two_rows_and_strangers_none() -> None:
    accepted = {
        "device": "tablet",
        "local_address": TABLET,
        "local_port": 443,
        "peer_address": PHONE,
        "peer_port": 40_000,
    }
    events = sockets(event("connect", peer_address=TABLET), event("accept", uid=10_300, **accepted))
    rows = flows(flow(WEB, OTHER), flow(PHONE, TABLET))
    assert whose(attribute(rows, events)) == [(1, "phone", False, 10_100, None), (1, "tablet", True, 10_300, None)]


def test_listener_answers_where_no_accept_was_seen_until_it_closes() -> None:
    port = {"local_port": 1080, "peer_address": None, "peer_port": None}
    hour = 3_600_000_000
    events = sockets(event("listen", T0 - hour, **port), event("close", T0 + hour, **port))
    inbound = [flow(WEB, PHONE, server_port=1080, start=T0 + shift) for shift in (-2 * hour, 0, 2 * hour)]
    assert [row[3] for row in whose(attribute(flows(*inbound), events))] == [None, 10_100, None]


@pytest.mark.parametrize(("proto", "uid"), [("udp", 10_100), ("tcp", None)])
def test_a_datagram_socket_outlives_its_flows(proto: str, uid: int | None) -> None:
    """A flow of UDP ends with a silence, its socket does not; one that comes after the close is nobody's."""
    quiet = T0 + 600_000_000
    found = attribute(
        flows(flow(PHONE, WEB, start=quiet, proto=proto), flow(PHONE, WEB, start=quiet + 100, proto=proto)),
        sockets(event("connect", proto=proto), event("close", quiet + 50, proto=proto)),
    )
    assert [row[3] for row in whose(found)] == [uid, None]


def test_dual_stack_sockets_and_wildcards() -> None:
    events = sockets(
        event("connect", local_address=f"::ffff:{PHONE}", peer_address=f"::FFFF:{WEB}"),
        event("listen", local_address="::", local_port=1080, device="tablet", peer_address=None, peer_port=None),
        event("connect", local_address="127.0.0.1", device="tablet"),
    )
    found = attribute(flows(flow(PHONE, WEB), flow("127.0.0.1", "127.0.0.1"), flow("::", WEB)), events)
    assert whose(found) == [(0, "phone", False, 10_100, None)]


def test_sockets_that_name_no_address_leave_the_flows_as_a_raw_capture() -> None:
    assert whose(attribute(flows(flow(PHONE, WEB)), sockets())) == [(0, PHONE, False, None, None)]


def test_package_is_that_of_the_device_and_uid_unless_shared() -> None:
    packages = table(
        SCHEMAS["packages"],
        [
            {"device": "tablet", "uid": 10_100, "package": "org.wrong"},
            {"device": "phone", "uid": 10_100, "package": "org.right"},
            {"device": "phone", "uid": 1000, "package": "android"},
            {"device": "phone", "uid": 1000, "package": "com.android.settings"},
        ],
    )
    rows = flows(flow(PHONE, WEB), flow(PHONE, WEB, client_port=5), flow(PHONE, WEB, client_port=6))
    events = sockets(event("connect"), event("connect", local_port=5, uid=1000))
    found = attribute(rows, events, packages)
    assert [row[3:] for row in whose(found)] == [(10_100, "org.right"), (1000, None), (None, None)]


@pytest.mark.parametrize("given", [None, "sockets"])
def test_no_flows_give_no_rows(given: str | None) -> None:
    assert whose(attribute(flows(), sockets(event("connect")) if given else None)) == []


def test_other_columns_stay_with_their_flow() -> None:
    rows = flows(flow(PHONE, WEB, sni="a.example", bytes_up=5), flow(TABLET, PHONE, sni="b.example", bytes_up=6))
    found = attribute(rows)
    assert found["sni"].to_pylist() == ["a.example", "b.example", "b.example"]
    assert found["bytes_up"].to_pylist() == [5, 6, 6]


def test_join_equals_a_search_by_hand() -> None:
    rng = np.random.default_rng(7)
    rows = [
        flow(PHONE, WEB, client_port=int(p), start=T0 + int(t)) for p, t in rng.integers(1, [40, 40_000_000], (400, 2))
    ]
    events = [
        event("connect", T0 + int(t), local_port=int(p), uid=number)
        for number, (p, t) in enumerate(rng.integers(1, [40, 40_000_000], (300, 2)))
    ]
    found = [row[3] for row in whose(attribute(flows(*rows), sockets(*events)))]
    for row, uid in zip(rows, found, strict=True):
        same = [e for e in events if e["local_port"] == row["client_port"]]
        gaps = {e["uid"]: abs(e["time"] - row["start"]) for e in same}
        near = min(gaps.values(), default=TOLERANCE_US + 1)
        assert (gaps[uid] == near) if near <= TOLERANCE_US else (uid is None)
    assert 100 < sum(uid is not None for uid in found) < 400


def test_hundred_thousand_flows_take_less_than_a_few_seconds() -> None:
    size = 100_000
    rng = np.random.default_rng(1)
    columns = {field.name: pa.nulls(size, field.type) for field in NEUTRAL}
    start = np.sort(rng.integers(T0, T0 + 86_400_000_000, size))
    ports = rng.integers(1024, 65_535, size).astype(np.int32)
    peers = pa.array([f"198.18.{n // 250}.{n % 250}" for n in range(2_000)]).take(
        pa.array(rng.integers(0, 2_000, size))
    )
    same = {"proto": pa.repeat("tcp", size), "client": pa.repeat(PHONE, size), "server": peers}
    columns |= same | {"flow": pa.array(np.arange(size)), "start": pa.array(start), "client_port": pa.array(ports)}
    columns["server_port"] = pa.array(np.full(size, 443, np.int32))
    owned = {
        "time": pa.array(start),
        "device": pa.repeat("phone", size),
        "uid": pa.array(ports),
        "event": pa.repeat("connect", size),
    }
    owned |= {
        "proto": same["proto"],
        "local_address": same["client"],
        "local_port": pa.array(ports),
        "peer_address": peers,
    }
    owned["peer_port"] = columns["server_port"]
    owned |= {name: pa.nulls(size, pa.int64()) for name in ("bytes_up", "bytes_down")}
    begin = time.process_time()
    found = attribute(pa.table(columns, schema=NEUTRAL), pa.table(owned, schema=SCHEMAS["sockets"]))
    assert time.process_time() - begin < 3.0
    assert found["uid"].to_pylist() == ports.tolist()
