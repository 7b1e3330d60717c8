import pyarrow as pa
import pytest

from detector.contract import SCHEMAS, Telemetry
from lab.catalogue.expectation import FLOW_KEY, inside, prove, seen
from lab.scenario import parse_scenario

TEXT = b"""
question = "Is it there?"
span = "2h"
devices = 2
[[app]]
package = "com.a.x"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
label = "AN1793"
[[expect]]
behaviour = "http-poll"
contacts = { at_least = 2, at_most = 3 }
"""
SECOND = 1_000_000


def flow(number, device, start):
    row = dict.fromkeys(SCHEMAS["flows"].names)
    row |= {"flow": number, "device": device, "package": "com.a.x", "start": start, "end": start, "inbound": False}
    row |= {"proto": "tcp", "client": device, "client_port": 40_000 + number, "server": "198.18.0.1"}
    return row | {"server_port": 443, "bytes_up": 10, "bytes_down": 20}


def measured(flows, exchanges):
    telemetry = Telemetry(
        {
            "flows": pa.Table.from_pylist(flows, schema=SCHEMAS["flows"]),
            "exchanges": pa.Table.from_pylist(
                [dict.fromkeys(SCHEMAS["exchanges"].names) | {"flow": f, "start": s} for f, s in exchanges],
                schema=SCHEMAS["exchanges"],
            ),
        },
        span=(0, 10),
    )
    truth = pa.Table.from_pylist(
        [{name: row[name] for name in (*FLOW_KEY, "start", "end")} | {"behaviour": "http-poll"} for row in flows]
    )
    return telemetry, truth


def test_exchanges_close_together_are_one_contact():
    flows = [flow(1, "a", 0), flow(2, "a", 60 * SECOND)]
    exchanges = [(1, 0), (1, SECOND), (2, 60 * SECOND), (2, 70 * SECOND)]
    (one,) = seen(*measured(flows, exchanges))
    assert (one.conversations, one.contacts, one.bytes) == (2, 3, 60)


def test_silence_splits_a_datagram_flow_but_no_conversation():
    first, later = flow(1, "a", 20 * SECOND), flow(2, "a", 600 * SECOND)
    later["client_port"] = first["client_port"]
    telemetry, truth = measured([first, later], [(1, 20 * SECOND), (2, 600 * SECOND)])
    whole = truth.slice(0, 1).to_pylist()[0] | {"start": 0, "end": 601 * SECOND}  # it began with a change of network
    (one,) = seen(telemetry, pa.Table.from_pylist([whole], schema=truth.schema))
    assert (one.conversations, one.contacts, one.bytes) == (1, 2, 60)


def test_a_flow_the_truth_does_not_know_counts_for_nothing():
    telemetry, truth = measured([flow(1, "a", 0)], [(1, 0)])
    assert seen(telemetry, truth.slice(0, 0)) == []
    late = measured([flow(1, "a", 5 * SECOND)], [(1, 0)])[0]
    assert seen(late, truth) == []


@pytest.mark.parametrize(("contacts", "ok"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_promise_is_held_at_its_bounds(contacts, ok):
    scenario = parse_scenario(TEXT, name="x", place="x.toml")
    flows = [flow(n + 10 * d, device, n * 60 * SECOND) for d, device in enumerate("ab") for n in range(contacts)]
    proofs = prove(scenario, seen(*measured(flows, [(row["flow"], row["start"]) for row in flows])))
    assert [proof.ok for proof in proofs] == [ok, ok]


def test_a_device_that_shows_nothing_fails_the_promise():
    scenario = parse_scenario(TEXT, name="x", place="x.toml")
    flows = [flow(n, "a", n * 60 * SECOND) for n in range(2)]
    proofs = prove(scenario, seen(*measured(flows, [(row["flow"], row["start"]) for row in flows])))
    assert sorted((proof.device, proof.found, proof.ok) for proof in proofs) == [("-", 0, False), ("a", 2, True)]


def test_packages_that_were_promised_nothing_are_not_counted():
    other = flow(2, "a", 0) | {"package": "com.b.y"}
    telemetry, truth = measured([flow(1, "a", 0), other], [(1, 0), (2, 0)])
    assert [one.package for one in seen(telemetry, truth, ["com.a.x"])] == ["com.a.x"]
    assert len(seen(telemetry, truth)) == 2


def test_inside_a_tunnel_the_sockets_are_counted():
    ends = {"proto": "tcp", "local_address": "10.88.1.1", "peer_address": "198.18.0.1", "peer_port": 443}
    events = [
        (time * SECOND, event, uid, port, up, down)
        for uid, port in ((7, 1), (7, 2), (8, 3))
        for time, event, up, down in ((port, "connect", None, None), (port + 9, "close", 10, None))
    ]
    names = ("time", "event", "uid", "local_port", "bytes_up", "bytes_down")
    rows = [dict(zip(names, event, strict=True)) | ends | {"device": "a"} for event in events]
    rows.append({"time": 0, "event": "close", "uid": 7, "local_port": 9, **ends, "device": "a"})  # opened before
    packages = [{"device": "a", "uid": uid, "package": name} for uid, name in ((7, "com.a.x"), (8, "com.b.y"))]
    tables = {"sockets": rows, "packages": packages}
    telemetry = Telemetry(
        {name: pa.Table.from_pylist(content, schema=SCHEMAS[name]) for name, content in tables.items()}, span=(0, 10)
    )
    shown = inside(telemetry, ["com.a.x"])
    truth = shown["flows"].select([*FLOW_KEY, "start"]).append_column("end", shown["flows"]["start"])
    truth = truth.append_column("behaviour", pa.array(["http-poll"] * 2))
    (one,) = seen(shown, truth, ["com.a.x"])
    assert (one.device, one.conversations, one.contacts, one.bytes) == ("a", 2, 1, 20)


def test_an_accepted_connection_has_the_peer_as_its_client():
    row = {"time": 1, "event": "accept", "uid": 7, "device": "a", "proto": "tcp", "local_address": "10.88.1.1"}
    row |= {"local_port": 1080, "peer_address": "198.18.0.1", "peer_port": 5000}
    tables = {"sockets": [row], "packages": [{"device": "a", "uid": 7, "package": "com.a.x"}]}
    telemetry = Telemetry(
        {name: pa.Table.from_pylist(content, schema=SCHEMAS[name]) for name, content in tables.items()}, span=(0, 10)
    )
    (found,) = inside(telemetry, ["com.a.x"])["flows"].to_pylist()
    assert (found["client"], found["client_port"], found["server_port"]) == ("198.18.0.1", 5000, 1080)
