"""DNS events of EVE, versions 2 and 3."""

import json

BASE = {
    "event_type": "dns",
    "flow_id": 7,
    "src_ip": "10.0.0.2",
    "src_port": 4000,
    "dest_ip": "10.0.0.1",
    "dest_port": 53,
    "proto": "UDP",
}
ASKED = {
    **BASE,
    "timestamp": "2026-03-02T00:00:00.000001+0000",
    "dns": {"version": 2, "type": "query", "id": 5, "rrname": "A.b", "rrtype": "A"},
}
SAID = {
    **BASE,
    "timestamp": "2026-03-02T00:00:00.000009+0000",
    "dns": {
        "version": 2,
        "type": "answer",
        "id": 5,
        "rrname": "A.b",
        "rrtype": "A",
        "rcode": "NOERROR",
        "answers": [{"rrname": "A.b", "rdata": "9.9.9.9"}],
    },
}
V3 = {"type": "request", "version": 3, "id": 5, "queries": [{"rrname": "A.b", "rrtype": "A"}]}


def rows(imported, *events):
    found = imported(a="".join(json.dumps(one) + "\n" for one in events))
    return found.tables["dns"].to_pylist(), found


def test_question_and_answer_are_one_look_up(imported):
    (row,), found = rows(imported, ASKED, SAID)
    assert (row["qname"], row["qtype"], row["answers"], row["rcode"], row["answered"] - row["time"]) == (
        "a.b",
        "A",
        ["9.9.9.9"],
        0,
        8,
    )
    assert (row["bytes_up"], row["flow"]) == (None, 0)
    assert found.accounts[0].joined == 1


def test_version_three_asks_in_a_list(imported):
    (row,), _ = rows(
        imported, {**ASKED, "dns": V3}, {**SAID, "dns": {**SAID["dns"], "queries": V3["queries"], "type": "response"}}
    )
    assert (row["qname"], row["rcode"]) == ("a.b", 0)


def test_an_answer_alone_is_a_look_up_whose_server_has_port_53(imported):
    turned = {"src_ip": "10.0.0.1", "src_port": 53, "dest_ip": "10.0.0.2", "dest_port": 4000}
    (row,), found = rows(imported, {**SAID, **turned})
    assert (row["client"], row["server"], row["time"], row["answered"]) == (
        "10.0.0.2",
        "10.0.0.1",
        row["answered"],
        row["time"],
    )
    assert found.tables["flows"]["server_port"].to_pylist() == [53]


def test_no_answer_is_null(imported):
    (row,), _ = rows(imported, ASKED)
    assert (row["answered"], row["rcode"], row["answers"]) == (None, None, [])
