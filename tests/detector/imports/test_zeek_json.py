"""Zeek's logs in JSON: one log a file, or a stream of them."""

import json

import pytest

from detector.contract import EvidenceError
from detector.imports.account import Faults
from detector.imports.zeek_json import read_json

ENDS = {"uid": "C1", "id.orig_h": "10.0.0.2", "id.orig_p": 1, "id.resp_h": "9.9.9.9", "id.resp_p": 2}
CONN = {"ts": 1.5, **ENDS, "proto": "tcp", "conn_state": "SF", "label": "Malicious"}
DNS = {"ts": 1.5, **ENDS, "query": "a.b", "answers": ["1.1.1.1", "x"]}


def read(opened, account, *lines, partial=False):
    body = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    return read_json(opened(body.encode()), account, Faults(partial))


def test_a_log_is_known_by_its_keys(opened, account):
    ((kind, table),) = read(opened, account, CONN, CONN)
    assert (kind, table.num_rows, account.lines) == ("conn", 2, 2)
    assert "label" not in table.column_names
    ((kind, table),) = read(opened, account, DNS)
    assert (kind, table["answers"].to_pylist()) == ("dns", [["1.1.1.1", "x"]])


def test_times_may_be_text_and_names_flat(opened, account):
    flat = {name.replace(".", "_"): value for name, value in CONN.items()} | {"ts": "1970-01-01T00:00:01.500000Z"}
    ((_, table),) = read(opened, account, flat)
    assert table.select(["ts", "id.orig_h"]).to_pylist() == [{"ts": 1.5, "id.orig_h": "10.0.0.2"}]


def test_a_stream_of_logs_is_taken_apart(opened, account):
    found = read(
        opened, account, {"_path": "conn", **CONN}, {"_path": "dns", **DNS}, {"_path": "weird", **ENDS, "ts": 1}
    )
    assert [(kind, table.num_rows) for kind, table in found] == [("conn", 1), ("dns", 1)]
    assert account.left == {"lines of weird.log": 1}


def test_a_fault_names_its_line(opened, account):
    with pytest.raises(EvidenceError, match=r"line 2: found .*expected a JSON object"):
        read(opened, account, CONN, '{"ts": 1.5, "uid"')
    ((_, table),) = read(opened, account, CONN, '{"ts": 1.5, "uid"', partial=True)
    assert table.num_rows == 1


def test_what_is_no_known_log_is_counted(opened, account):
    assert read(opened, account, {"ts": 1, "id.orig_h": "a", "other": 1}) == []
    assert account.left == {"lines of logs that are not read": 1}
