"""Flows beside their truth: by ends and time, each once, and none invented."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.errors import EvidenceError
from lab.handing_on.labelled import labelled, truth_rows

HEAD = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tlabel\tdetailedlabel\n"


def line(ts, uid, client="10.88.0.9", label="Benign"):
    return f"{ts}\t{uid}\t{client}\t4000\t198.18.0.1\t443\ttcp\t{label}\tbrowsing\n"


def flow(number, start, client="10.88.0.9", *, inbound=False):
    ends = {"client": client, "client_port": 4000, "server": "198.18.0.1", "server_port": 443, "proto": "tcp"}
    return {"flow": number, "start": start, "inbound": inbound, **ends}


@pytest.fixture
def log(tmp_path):
    table = {"client_port": [4000, None, 4000, 4000], "incident": [None, "gone", "one", None]}
    pq.write_table(pa.table(table), tmp_path / "flows.parquet")
    path = tmp_path / "conn.log.labeled"
    six = line("1.000000", "Csix", "2001:db8:0:0::1")
    path.write_text(HEAD + line("1.000000", "Cfirst") + line("90.000000", "Cnext", label="Malicious") + six)
    return tmp_path


def test_a_port_that_is_used_again_is_told_apart_by_time(log):
    made = labelled([flow(0, 1_000_000), flow(1, 90_000_400)], log)
    assert [(one.uid, one.label) for one in made] == [
        ("Cfirst", ("Benign", "browsing")),
        ("Cnext", ("Malicious", "browsing")),
    ]
    assert [one.incident for one in made] == [None, "one"]


def test_what_the_truth_does_not_know_is_background(log):
    (far,) = labelled([flow(0, 50_000_000)], log)
    assert (far.truth, far.label, far.uid[0]) == ({}, ("Background", "unknown"), "C")
    (again,) = labelled([flow(0, 60_000_000)], log)
    assert far.uid != again.uid


def test_addresses_are_compared_as_numbers(log):
    (one,) = labelled([flow(0, 1_000_000, "2001:db8::1")], log)
    assert one.uid == "Csix"


def test_a_flow_of_two_devices_is_one(log):
    (one,) = labelled([flow(0, 1_000_000, inbound=True), flow(0, 1_000_000)], log)
    assert not one.flow["inbound"]


def test_a_line_of_other_columns_is_refused(log):
    (log / "conn.log.labeled").write_text(HEAD + line("1.000000", "C") + "1.0\tC\n")
    with pytest.raises(EvidenceError, match=r"line 3: found 2 columns, expected 9"):
        truth_rows(log)


def test_a_log_of_other_flows_is_refused(log):
    (log / "conn.log.labeled").write_text(HEAD + line("1.000000", "C"))
    with pytest.raises(EvidenceError, match=r"found 1 flows in conn.log.labeled, 3 in flows.parquet"):
        truth_rows(log)
