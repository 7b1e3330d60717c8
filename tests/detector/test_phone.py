"""Whose flows a phone tells of."""

import pyarrow as pa

from detector.phone import phone_packages, phone_sockets
from detector.tables import SCHEMAS


def flows(*ends):
    rows = [
        {"flow": k, "client": a, "client_port": 1, "server": b, "server_port": 2, "proto": "tcp", "start": k}
        for k, (a, b) in enumerate(ends)
    ]
    return pa.Table.from_pylist(rows, SCHEMAS["flows"])


UIDS = pa.table({"flow": [0, 2], "uid": pa.array([10_001, 10_002], pa.int32())})


def test_the_phone_is_the_end_that_flows_have_in_common():
    found = phone_sockets(flows(("p", "x"), ("p", "y"), ("z", "p")), UIDS)
    assert found.schema == SCHEMAS["sockets"]
    rows = [
        (row["device"], row["event"], row["uid"], row["local_port"], row["peer_address"]) for row in found.to_pylist()
    ]
    assert rows == [("p", "connect", 10_001, 1, "x"), ("p", "connect", None, 1, "y"), ("p", "accept", 10_002, 2, "z")]


def test_a_phone_may_have_several_addresses():
    found = phone_sockets(flows(("p", "x"), ("p", "y"), ("q", "x"), ("q", "w"), ("q", "v")), UIDS)
    assert found["device"].to_pylist() == ["p", "p", "q", "q", "q"]


def test_a_resolver_of_several_phones_is_no_phone():
    found = phone_sockets(flows(("p", "dns"), ("q", "dns"), ("p", "dns"), ("q", "x")), UIDS)
    assert found["device"].to_pylist() == ["p", "q", "p", "q"]


def test_a_stranger_that_dials_more_than_the_phone_is_no_phone():
    found = phone_sockets(flows(("z", "p"), ("z", "p"), ("p", "x")), UIDS)
    assert found["device"].to_pylist() == ["p", "p", "p"]


def test_packages_are_those_with_a_name():
    sockets = phone_sockets(flows(("p", "x")), UIDS)
    found = phone_packages(sockets, {10_001: ("org.a", "A"), 10_002: (None, "B")})
    assert found.to_pylist()[0] | {"roles": None} == {
        **dict.fromkeys(SCHEMAS["packages"].names),
        "device": "p",
        "uid": 10_001,
        "package": "org.a",
        "label": "A",
    }
    assert found.num_rows == 1
    assert phone_packages(sockets, {}) is None
