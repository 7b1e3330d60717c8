"""A capture's flows with what tells whose they are."""

import pyarrow as pa

from detector.accompanied import owned_flows, renamed
from detector.capture import Owners
from detector.derived import DERIVED
from detector.imports.locality import Known
from detector.imports.sessions import Told

ROW = {
    "flow": 0,
    "start": 10,
    "client": "10.0.0.2",
    "client_port": 5,
    "server": "9.9.9.9",
    "server_port": 6,
    "proto": "tcp",
}
FLOWS = pa.Table.from_pylist([ROW], DERIVED["flows"])
UID = pa.table({"flow": [0], "uid": pa.array([10_001], pa.int32())})


def app(found):
    return [(row["device"], row["uid"], row["package"]) for row in found.to_pylist()]


def test_marks_in_the_capture_tell_the_app():
    flows, packages = owned_flows(FLOWS, {}, Owners(UID, {10_001: ("org.a", "A")}))
    assert app(flows) == [("10.0.0.2", 10_001, "org.a")]
    assert packages["label"].to_pylist() == ["A"]


def test_marks_without_names_tell_the_uid():
    flows, packages = owned_flows(FLOWS, {}, Owners(UID, {}))
    assert (app(flows), packages) == ([("10.0.0.2", 10_001, None)], None)


def test_socket_events_are_nearer_than_marks():
    from detector.phone import phone_sockets

    sockets = phone_sockets(FLOWS, UID.set_column(1, "uid", pa.array([7], pa.int32())))
    assert app(owned_flows(FLOWS, {"sockets": sockets}, Owners(UID, {}))[0]) == [("10.0.0.2", 7, None)]


def test_a_csv_beside_the_capture_tells_the_app():
    row = {**{name: ROW[name] for name in list(ROW)[1:]}, "key": 3, "uid": 10_001, "package": "org.a"}
    told = Told(
        pa.Table.from_pylist([row]).cast(
            pa.schema(
                [
                    (n, pa.int32() if n == "uid" else t.type)
                    for n, t in zip(
                        pa.Table.from_pylist([row]).column_names, pa.Table.from_pylist([row]).schema, strict=True
                    )
                ]
            )
        )
    )
    assert app(owned_flows(FLOWS, {}, None, told)[0]) == [("10.0.0.2", 10_001, "org.a")]


def test_without_any_of_it_whoever_dials_is_a_device():
    assert app(owned_flows(FLOWS, {}, None)[0]) == [("10.0.0.2", None, None)]


def test_an_inventory_names_devices_and_apps():
    flows, _ = owned_flows(FLOWS, {}, Owners(UID, {}))
    known = Known({"10.0.0.2": "phone"}, {("phone", 10_001): "org.b"})
    assert app(renamed(flows, known)) == [("phone", 10_001, "org.b")]
    assert renamed(flows, Known()).equals(flows)
