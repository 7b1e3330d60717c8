import json

import pytest

from detector.contract import SCHEMAS
from lab.errors import StageError
from lab.stages.live.gateway.overheard import events, http_rows, noted_faults

WHOLE = {
    "v": 1,
    "event": "http",
    "time_us": 2_000,
    "client": ["10.88.1.10", 40000],
    "server": ["198.18.0.1", 443],
    "upstream": ["100.64.77.1", 50000],
    "upstream_peer": ["198.18.0.1", 443],
    "sni": "a.example",
    "tls": "TLSv1.3",
    "alpn": "http/1.1",
    "bytes_up": 96,
    "bytes_down": 76,
    "error": None,
    "unfinished": False,
    "request_end_us": 2_100,
    "answer_us": 2_200,
    "end_us": 2_300,
    "version": "HTTP/1.1",
    "method": "POST",
    "path": "/x",
    "host": "a.example",
    "user_agent": "test/1",
    "status": 200,
}


def written(tmp_path, *lines):
    path = tmp_path / "one.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def line(**fields):
    return json.dumps({**WHOLE, **fields}).encode() + b"\n"


def test_events_are_read_in_order_and_a_cut_line_left_out(tmp_path):
    path = written(tmp_path, line(time_us=2), line(event="dns"), line()[:-20])
    assert [(row["event"], row["time_us"]) for row in events(path)] == [("http", 2), ("dns", 2_000)]
    assert list(events(written(tmp_path))) == []


@pytest.mark.parametrize("bad", [b"{\n", line(v=2), b"[1]\n", b"{}\n"])
def test_a_line_that_is_no_event_of_ours_is_named(tmp_path, bad):
    path = written(tmp_path, line(), bad, line())
    with pytest.raises(StageError, match=r"one\.jsonl: line 2: "):
        list(events(path))


def test_requests_become_rows_by_time():
    late, other = {**WHOLE, "time_us": 9_000, "end_us": 9_001}, {**WHOLE, "event": "tcp"}
    table = http_rows([late, other, WHOLE], {"10.88.1.10": "phone-01"})
    assert table.schema == SCHEMAS["http"]
    assert table["time"].to_pylist() == [2_000, 9_000]
    assert table.slice(0, 1).to_pylist() == [
        {
            "time": 2_000,
            "end": 2_300,
            "device": "phone-01",
            "client": "10.88.1.10",
            "client_port": 40000,
            "server": "198.18.0.1",
            "server_port": 443,
            "sni": "a.example",
            "host": "a.example",
            "method": "POST",
            "path": "/x",
            "status": 200,
            "bytes_up": 96,
            "bytes_down": 76,
            "user_agent": "test/1",
        }
    ]


def test_an_unfinished_request_ends_with_what_was_last_heard():
    cut = {**WHOLE, "end_us": None, "answer_us": None, "status": None}
    table = http_rows([cut, {**cut, "request_end_us": None}])
    assert table["end"].to_pylist() == [2_100, 2_000]
    assert table["status"].null_count == 2
    assert table["device"].null_count == 2


def test_no_request_is_a_table_too():
    assert http_rows([]).schema == SCHEMAS["http"]


def test_a_request_of_no_device_is_our_fault():
    with pytest.raises(StageError, match=r"10\.88\.1\.10, which is no device: POST /x"):
        http_rows([WHOLE], {"10.88.1.11": "phone-01"})


def test_what_the_gateway_wrote_of_its_end_is_read_even_if_cut_off(tmp_path):
    assert noted_faults(tmp_path, "run-1") == []
    (tmp_path / "run-1.fault").write_text('{"reason": "mitmproxy ended by itself with -9", "time_us": 1}\n{"rea')
    (tmp_path / "run-2.fault").write_text('{"reason": "another run", "time_us": 1}\n')
    assert noted_faults(tmp_path, "run-1") == ["gateway: mitmproxy ended by itself with -9", 'gateway: {"rea']
