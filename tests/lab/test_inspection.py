import dataclasses

import pyarrow as pa

from detector.contract import SCHEMAS, Telemetry
from lab.inspection import STRIP, inspect_telemetry, print_inspection


def flow(number, start, **columns):
    row = dict.fromkeys(SCHEMAS["flows"].names)
    row |= {"flow": number, "device": "10.0.0.1", "inbound": False, "start": start, "end": start + 10, "proto": "tcp"}
    row |= {"client": "10.0.0.1", "server": "192.0.2.1", "bytes_up": 10, "bytes_down": 20, "established": True}
    return row | columns


def telemetry(rows):
    return Telemetry({"flows": pa.Table.from_pylist(rows, schema=SCHEMAS["flows"])}, span=(0, 1_000_000), packets=9)


def test_flows_of_one_destination_are_summed():
    seen = inspect_telemetry("x", telemetry([flow(1, 0, sni="a.test", name="a.test"), flow(2, 999_999, name="a.test")]))
    (destination,) = seen.destinations
    assert (destination.server, destination.flows, destination.bytes_up, destination.bytes_down) == (
        "a.test",
        2,
        20,
        40,
    )
    assert destination.strip[0] == destination.strip[STRIP - 1] == 1
    assert sum(destination.strip) == 2


def test_an_inbound_flow_is_listed_under_its_client():
    seen = inspect_telemetry("x", telemetry([flow(1, 0, inbound=True, client="10.0.0.9", device="192.0.2.1")]))
    assert seen.destinations[0].server == "10.0.0.9"


def test_hostile_names_do_not_steer_the_terminal(capsys):
    print_inspection(inspect_telemetry("x", telemetry([flow(1, 0, name="evil\x1b[2J.test")])))
    assert "\x1b[2J" not in capsys.readouterr().out


def test_what_is_in_no_table_is_counted_aloud(capsys):
    full = dataclasses.replace(telemetry([flow(1, 0)]), outside={"fragments": 3, "non_ip": 0})
    seen = inspect_telemetry("x", full)
    assert seen.to_json()["outside"] == {"fragments": 3, "non_ip": 0}
    print_inspection(seen)
    shown = capsys.readouterr().out
    assert "in no table: fragments 3" in shown
    assert "non_ip" not in shown


def test_an_empty_telemetry_is_shown_as_empty(capsys):
    seen = inspect_telemetry("x", telemetry([]))
    assert seen.to_json()["destinations"] == ()
    print_inspection(seen)
    assert "0 packets" not in capsys.readouterr().out


def test_what_is_not_counted_is_shown_as_unknown(capsys):
    unknown = dataclasses.replace(telemetry([flow(1, 0, bytes_up=None, bytes_down=None)]), packets=None)
    seen = inspect_telemetry("x", unknown)
    assert (seen.destinations[0].bytes_up, seen.packets) == (None, None)
    print_inspection(seen)
    shown = capsys.readouterr().out
    assert "?/?" in shown
    assert "no packets counted" in " ".join(shown.split())


def test_look_ups_alone_are_listed_by_name(capsys):
    row = {"flow": 0, "time": 5, "client": "10.0.0.1", "qname": "a.test", "answers": []}
    seen = inspect_telemetry("x", Telemetry({"dns": pa.Table.from_pylist([row, row], SCHEMAS["dns"])}, span=(0, 9)))
    assert [(one.device, one.server, one.app_proto, one.flows) for one in seen.destinations] == [
        ("10.0.0.1", "a.test", "dns", 2)
    ]
    assert seen.protocols == {"dns": 2}
