"""Zeek's logs of a recording: read back they are its flows, and labels are where no detector is sent."""

import re
from types import SimpleNamespace

import pytest

from detector.contract import detector, open_telemetry
from lab.handing_on.labelled import Labelled
from lab.handing_on.zeek_labeled import parts, requests
from lab.store import write_atomic

SAME = ("client", "client_port", "server", "server_port", "proto", "start", "end", "established", "app_proto")
COUNTS = ("packets_up", "packets_down", "bytes_up", "bytes_down", "sni", "ja4", "host", "method", "user_agent")


@pytest.fixture(scope="module")
def folder(handed, tmp_path_factory):
    made = tmp_path_factory.mktemp("zeek")
    for part in parts(handed):
        (made / part.name).parent.mkdir(exist_ok=True)
        write_atomic(made / part.name, part.content)
    return made


def keyed(telemetry, names):
    return sorted(repr([row[name] for name in names]) for row in telemetry["flows"].to_pylist() if not row["inbound"])


def test_our_own_reader_reads_the_same_flows_back(handed, folder):
    back = open_telemetry(folder / "zeek")
    assert keyed(back, SAME) == keyed(handed.telemetry, SAME)
    assert keyed(back, COUNTS) == keyed(handed.telemetry, COUNTS)
    names = ("time", "answered", "client", "qname", "qtype", "rcode", "answers")
    told = [sorted(repr([row[n] for n in names]) for row in one["dns"].to_pylist()) for one in (back, handed.telemetry)]
    assert told[0] == told[1] != []


def test_the_builtin_detector_finds_the_incident_in_it(handed, folder):
    peers = {finding.peer for finding in detector("builtin").detect(open_telemetry(folder / "zeek")) if finding.alert}
    assert peers & set(handed.truth.incidents[0].peers)


def test_labels_are_only_in_the_labelled_logs(folder):
    for path in (folder / "zeek").iterdir():
        text = path.read_text()
        assert not re.search(r"label|Malicious|Benign|AN1[78]|http-poll|tunnel_parents", text), path
    rows = (folder / "labeled/conn.log.labeled").read_text().splitlines()[7:]
    truth = {row.split("\t")[-2] for row in rows}
    assert truth == {"Malicious", "Benign"}
    assert any(row.endswith("\tMalicious\tAN1793-http-poll") for row in rows)


def test_a_reader_of_the_labelled_logs_sees_no_label(folder):
    plain, told = (open_telemetry(folder / name) for name in ("zeek", "labeled"))
    assert plain.tables.keys() == told.tables.keys()
    assert all(plain[name].equals(told[name]) for name in plain.tables)
    assert not re.search(r"Malicious|Benign|AN1793", repr({name: told[name].to_pylist() for name in told.tables}))


def test_every_request_inside_tls_stays_there(folder, handed):
    assert {row["server_port"] for row in handed.rows("http")} == {443}
    assert not (folder / "zeek/http.log").exists()


def test_requests_on_the_wire_are_told_with_their_flow():
    ends = {"client": "10.88.0.9", "client_port": 4000, "server": "198.18.0.1", "server_port": 80}
    told = {"method": "GET", "host": "a.test", "user_agent": "okhttp", "proxy": None, "proxy_target": None}
    flow = {**ends, **told, "flow": 3, "start": 10, "end": 90, "proto": "tcp", "proxy_granted": None}
    inside = {**ends, **told, "path": "/b", "status": 200}
    rows = [{**inside, "time": 20}, {**inside, "time": 95}, {**inside, "time": 20, "client_port": 4001}]
    source = SimpleNamespace(flows=[Labelled(flow, {})], rows=lambda _table: rows)
    assert [(one.flow["flow"], row["time"], row["path"]) for one, row in requests(source)] == [(3, 20, "/b")]
    rows.clear()
    assert [(row["time"], row["path"], row["method"]) for _, row in requests(source)] == [(10, None, "GET")]
    flow |= {"proxy": "connect", "proxy_target": "b.test:443", "proxy_granted": True, "method": "CONNECT"}
    assert [(row["path"], row["status"]) for _, row in requests(source)] == [("b.test:443", 200)]


def test_lines_have_a_cell_for_each_column(folder):
    for path in folder.glob("*/*"):
        _, _, _, _, name, fields, types, *rows = path.read_text().splitlines()
        assert path.name.startswith(name.removeprefix("#path\t") + ".log")
        assert rows
        assert {line.count("\t") + 1 for line in rows} == {fields.count("\t")} == {types.count("\t")}
