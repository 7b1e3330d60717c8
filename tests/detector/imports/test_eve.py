"""Suricata's EVE: flows, names, what is left out."""

import json

import pytest

from detector.contract import EvidenceError

ENDS = {"flow_id": 7, "src_ip": "10.0.0.2", "src_port": 40000, "dest_ip": "9.9.9.9", "dest_port": 443, "proto": "TCP"}
FLOW = {
    "timestamp": "2026-03-02T00:05:00.000000+0000",
    "event_type": "flow",
    **ENDS,
    "app_proto": "tls",
    "flow": {
        "pkts_toserver": 5,
        "pkts_toclient": 4,
        "bytes_toserver": 5 * 54 + 100,
        "bytes_toclient": 4 * 54 + 1000,
        "start": "2026-03-02T00:00:00.500000+0000",
        "end": "2026-03-02T00:00:02.500000+0000",
    },
    "tcp": {"tcp_flags_ts": "1b", "tcp_flags_tc": "1b"},
}
TLS = {
    "timestamp": "2026-03-02T00:00:00.700000+0000",
    "event_type": "tls",
    **ENDS,
    "tls": {"sni": "A.Example", "ja4": "t13"},
}
ALERT = {"timestamp": "2026-03-02T00:00:00.700000+0000", "event_type": "alert", **ENDS, "alert": {"signature": "C2"}}


def eve(*events):
    return "".join(json.dumps(one) + "\n" for one in events)


def flow(imported, *events):
    return imported(a=eve(*events)).tables["flows"].to_pylist()[0]


def test_a_flow_event_is_a_flow_and_others_name_it(imported):
    row = flow(imported, TLS, FLOW)
    assert (row["start"], row["end"]) == (1_772_409_600_500_000, 1_772_409_602_500_000)
    assert (row["bytes_up"], row["bytes_down"], row["packets_up"], row["established"]) == (100, 1000, 5, True)
    assert (row["name"], row["name_from"], row["ja4"], row["app_proto"]) == ("a.example", "sni", "t13", "tls")


def test_alerts_are_left_and_counted(imported):
    found = imported(a=eve(FLOW, ALERT, ALERT))
    assert found.outside == {"eve events alert": 2}
    assert found.tables["flows"].equals(imported(a=eve(FLOW)).tables["flows"])


def test_a_flow_that_nobody_pushed_in_has_no_bytes(imported):
    syn = {**FLOW, "app_proto": "failed", "tcp": {"tcp_flags_ts": "02", "tcp_flags_tc": "14"}}
    row = flow(imported, syn)
    assert (row["bytes_up"], row["established"], row["app_proto"]) == (0, False, None)


def test_without_its_flow_event_a_connection_lasts_over_its_mentions(imported):
    row = flow(imported, TLS)
    assert (row["name"], row["start"], row["end"], row["bytes_up"]) == (
        "a.example",
        1_772_409_600_700_000,
        1_772_409_600_700_000,
        None,
    )


def test_a_connect_is_a_proxy_request(imported):
    http = {
        **TLS,
        "event_type": "http",
        "http": {"http_method": "CONNECT", "url": "b.example:443", "hostname": "b.example", "status": 200},
    }
    row = flow(imported, FLOW, http)
    assert (row["proxy"], row["proxy_server"], row["proxy_target"], row["proxy_granted"]) == (
        "connect",
        "server",
        "b.example:443",
        True,
    )
    assert (row["name"], row["app_proto"]) == (None, "connect")


def test_a_piece_without_a_syn_is_no_flow_of_its_own(imported):
    later = {"start": "2026-03-02T00:20:00.000000+0000", "end": "2026-03-02T00:20:01.000000+0000"}
    ends = {"src_ip": "9.9.9.9", "src_port": 443, "dest_ip": "10.0.0.2", "dest_port": 40000, "flow_id": 8}
    piece = {**FLOW, **ends, "flow": {**FLOW["flow"], **later}, "tcp": {"tcp_flags_ts": "18", "tcp_flags_tc": "10"}}
    found = imported(a=eve(FLOW, piece)).tables["flows"].to_pylist()
    assert [(row["client"], row["packets_up"], row["packets_down"]) for row in found] == [("10.0.0.2", 9, 9)]


def test_a_cut_file_is_a_fault(imported):
    with pytest.raises(EvidenceError, match="line 2: found"):
        imported(a=eve(FLOW, TLS)[:-30])
    assert imported(partial=True).tables["flows"].num_rows == 1


def test_addresses_of_ipv6_are_spelled_as_in_a_capture(imported):
    ends = {"src_ip": "fd00:0000:0000:0000:0000:0000:0000:0005", "dest_ip": "2001:0db8:0000:0000:0000:0000:0000:0001"}
    asked = {"type": "query", "id": 1, "rrname": "b.example", "rrtype": "AAAA"}
    answered = {**asked, "type": "answer", "rcode": "NOERROR", "answers": [{"rdata": ends["dest_ip"]}]}
    look_up = {"timestamp": "2026-03-02T00:00:00.100000+0000", "event_type": "dns", **ENDS, **ends, "proto": "UDP"}
    look_up |= {"flow_id": 8, "dest_port": 53}
    found = imported(a=eve({**look_up, "dns": asked}, {**look_up, "dns": answered}, {**FLOW, **ends})).tables
    row = found["flows"].to_pylist()[-1]
    assert (row["client"], row["server"], row["device"]) == ("fd00::5", "2001:db8::1", "fd00::5")
    assert row["name"] == "b.example"
    assert found["dns"]["client"].to_pylist() == ["fd00::5"]
    assert found["dns"]["answers"].to_pylist() == [["2001:db8::1"]]
