"""Pictures: conversations, states and sizes of an incident, as far as the recording holds them."""

import pyarrow as pa
import pytest

from lab.recording import seal, write_parquet
from lab.running.pictures import empty_tables, strips_of
from lab.truth import write_truth

TUPLE = {"client": "10.88.0.11", "server": "198.18.0.7", "server_port": 443, "proto": "tcp"}


@pytest.fixture
def build(make, tmp_path):
    def made(**tables):
        folder = tmp_path / "polling-plain-s1"
        (folder / "telemetry").mkdir(parents=True)
        (folder / "truth").mkdir()
        known = {"device": ["phone-01"], "uid": [10101], "package": ["com.example.torch"], "category": ["tools"]}
        known |= {"sanctioned": [False], "roles": [[]]}
        write_parquet(folder / "telemetry/packages.parquet", pa.table(known))
        truth = make.truth(make.incident())
        write_truth(truth, folder / "truth")
        for name, columns in tables.items():
            write_parquet(folder / f"{name.replace('_in_', '/')}.parquet", pa.table(columns))
        about = {"scenario": truth.scenario, "scenario_sha256": "0" * 64, "twin_of": "", "seed": 1, "stage": "flows"}
        seal(folder, {**about, "start": truth.start, "span_s": truth.span / 1e6, "speed": 1.0})
        return folder

    return made


def spoken(make):
    name, start = make.incident().incident, make.START
    return {
        "incident": [name, None, name, name],
        "behaviour": ["http-poll", "web-browsing", "http-poll", "name-lookup"],
        "start": [start + 5, start + 1, start, start],
        "end": [start + 9, start + 2, start, start],
    }


def states(make):
    at = make.START
    return {
        "time": [at + 2 * make.HOUR, at, at + make.HOUR],
        "device": ["phone-01"] * 3,
        "locked": [False, True, True],
        "screen_on": [True, False, False],
        "power_state": ["interactive", "idle", "doze-light"],
    }


def test_conversations_are_the_incidents_own_and_in_order(make, build):
    (strip,) = strips_of(build(truth_in_flows=spoken(make)))
    assert strip.conversations == [(make.START, make.START), (make.START + 5, make.START + 9)]
    assert strip.sizes == []
    assert (strip.locked, strip.screen_on, strip.dozing) == ((), (), ())


def test_states_are_stretches_until_the_next_or_the_end(make, build):
    (strip,) = strips_of(build(telemetry_in_device_state=states(make)))
    assert strip.locked == [(make.START, make.START + 2 * make.HOUR)]
    assert strip.dozing == [(make.START + make.HOUR, make.START + 2 * make.HOUR)]
    assert strip.screen_on == [(make.START + 2 * make.HOUR, make.START + 24 * make.HOUR)]


def test_states_of_a_recorder_that_knows_fewer_are_fewer(make, build):
    only = {name: values for name, values in states(make).items() if name != "power_state"}
    (strip,) = strips_of(build(telemetry_in_device_state=only))
    assert strip.dozing == ()


@pytest.mark.parametrize("exchanges", [False, True])
def test_sizes_are_of_the_same_conversation_not_of_a_later_one_with_its_ports(make, build, monkeypatch, exchanges):
    later = make.START + 10 * make.HOUR
    own = spoken(make) | {name: [value] * 4 for name, value in TUPLE.items()} | {"client_port": [1, 2, 3, 4]}
    flows = {name: [value] * 3 for name, value in TUPLE.items()}
    flows |= {"client_port": [1, 1, 3], "flow": [0, 1, 2], "start": [make.START + 6, later, make.START]}
    flows |= {"bytes_up": [100, 7, 300], "bytes_down": [10, 7, 30]}
    asked = {"flow": [0, 0, 1], "start": [make.START + 6, make.START + 8, later], "bytes_up": [60, 40, 7]}
    tables = {"flows": pa.table(flows)}
    if exchanges:
        tables["exchanges"] = pa.table({**asked, "bytes_down": [5, 5, 7]})
    monkeypatch.setattr("lab.running.pictures.open_telemetry", lambda _: tables)
    (strip,) = strips_of(build(truth_in_flows=own))
    whole = [(make.START, 300, 30), (make.START + 6, 100, 10)]
    assert strip.sizes == ([(make.START + 6, 60, 5), (make.START + 8, 40, 5)] if exchanges else whole)


def test_tables_without_rows_are_named(make, build):
    folder = build(telemetry_in_http={"time": pa.array([], pa.int64())}, telemetry_in_device_state=states(make))
    assert empty_tables(folder) == ["http holds nothing"]
