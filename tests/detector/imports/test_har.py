"""HTTP archives."""

import json

import pytest

from detector.contract import EvidenceError

ENTRY = {
    "startedDateTime": "2026-03-02T00:00:00.500Z",
    "time": 250,
    "serverIPAddress": "9.9.9.9",
    "request": {
        "method": "POST",
        "url": "https://a.example/poll?x=1",
        "headers": [{"name": "User-Agent", "value": "agent"}],
        "headersSize": 100,
        "bodySize": 20,
    },
    "response": {"status": 200, "headersSize": -1, "bodySize": 5},
}


def archive(*entries):
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}, indent=1)


def test_a_request_is_a_row_of_http_and_a_flow(imported):
    found = imported(a=archive(ENTRY))
    (request,), (flow,) = found.tables["http"].to_pylist(), found.tables["flows"].to_pylist()
    assert (request["time"], request["end"]) == (1_772_409_600_500_000, 1_772_409_600_750_000)
    assert (request["method"], request["path"], request["status"], request["user_agent"]) == (
        "POST",
        "/poll?x=1",
        200,
        "agent",
    )
    assert (request["bytes_up"], request["bytes_down"]) == (120, None)
    assert (flow["device"], flow["name"], flow["app_proto"], flow["server_port"]) == ("client", "a.example", "tls", 443)
    assert (flow["host"], flow["method"], flow["packets_up"]) == (None, None, None)


def test_clear_http_tells_its_host_in_the_flow(imported):
    clear = {**ENTRY, "request": {**ENTRY["request"], "url": "http://b.example:8080/"}}
    (flow,) = imported(a=archive(clear)).tables["flows"].to_pylist()
    assert (flow["host"], flow["name_from"], flow["server_port"], flow["app_proto"]) == (
        "b.example",
        "host",
        8080,
        "http",
    )


def test_a_cut_archive_and_a_bad_entry_are_faults(imported):
    with pytest.raises(EvidenceError, match=r"line \d+: found .*expected an element"):
        imported(a=archive(ENTRY, ENTRY)[:-200])
    assert imported(partial=True).accounts[0].rows == {"http": 1}
    with pytest.raises(EvidenceError, match="1 of 2 entries: found entry 2 without 'request'"):
        imported(a=archive(ENTRY, {"startedDateTime": "x"}))


@pytest.mark.parametrize("wrong", [{"request": ENTRY["request"] | {"method": 5}}, {"response": {"status": 10**30}}])
def test_an_entry_with_a_value_of_another_kind_is_a_fault_and_no_crash(imported, wrong):
    with pytest.raises(EvidenceError, match=r"1 of 2 entries: found entry 2"):
        imported(a=archive(ENTRY, ENTRY | wrong))
    found = imported(partial=True, a=archive(ENTRY, ENTRY | wrong))
    assert (found.tables["http"].num_rows, found.accounts[0].left) == (1, {"unreadable": 1})
