"""What Zeek's logs say that a connection spoke."""

import pyarrow as pa
import pytest

from detector.imports.zeek_kinds import KINDS
from detector.imports.zeek_spoken import spoken

TYPES = {"text": pa.string(), "count": pa.int64(), "port": pa.int32(), "time": pa.float64()}


def told(service=None, port=443, **logs):
    """The first flow's columns; logs by kind with the columns of its line."""
    flows = pa.table(
        {
            "uid": pa.chunked_array([["C1"]]),
            "server_port": pa.chunked_array([[port]], pa.int32()),
            "service": pa.chunked_array([[service]], pa.string()),
        }
    )
    tables = {
        kind: pa.table(
            {
                name: pa.chunked_array([[{"uid": "C1", **row}.get(name)]], TYPES[what])
                for name, what in KINDS[kind].items()
            }
        )
        for kind, row in logs.items()
    }
    return spoken(flows, tables).to_pylist()[0]


@pytest.mark.parametrize(
    ("service", "port", "expected"),
    [
        ("ssl", 443, "tls"),
        ("http", 80, "http"),
        ("quic,ssl", 443, "quic"),
        ("smtp,ssl", 25, "smtp"),
        ("dns", 53, "dns"),
        ("dns", 5353, "mdns"),
        ("-ssl", 443, None),
        (None, 443, None),
    ],
)
def test_services(service, port, expected):
    assert told(service, port)["app_proto"] == expected


def test_ssl_names_the_server():
    row = told("ssl", ssl={"server_name": "A.Example", "next_protocol": "h2", "ja4": "t13"})
    assert (row["sni"], row["alpn"], row["ja4"], row["app_proto"]) == ("a.example", "h2", "t13", "tls")


def test_http_names_host_method_and_agent():
    row = told(None, http={"host": "a.example", "method": "GET", "user_agent": "x"})
    assert (row["host"], row["method"], row["user_agent"], row["app_proto"]) == ("a.example", "GET", "x", "http")
    assert row["proxy"] is None


@pytest.mark.parametrize(("status", "granted"), [(200, True), (403, False), (None, None)])
def test_a_connect_is_a_proxy_request_and_what_is_relayed_is_not_the_servers(status, granted):
    asked = {"method": "CONNECT", "uri": "b.example:443", "host": "b.example", "status_code": status}
    row = told("http,ssl", http=asked, ssl={"server_name": "b.example"})
    assert (row["app_proto"], row["proxy"], row["proxy_server"]) == ("connect", "connect", "server")
    assert (row["proxy_target"], row["proxy_granted"], row["sni"]) == ("b.example:443", granted, None)


def test_socks_tells_version_target_and_grant():
    row = told("socks", socks={"version": 5, "status": "succeeded", "request.name": "b.example", "request_p": 25})
    assert (row["app_proto"], row["proxy"], row["proxy_target"]) == ("socks5", "socks5", "b.example:25")
    assert row["proxy_granted"] is True


def test_websocket_wins_over_http():
    row = told("http", http={"host": "a"}, websocket={"host": "a"})
    assert row["app_proto"] == "websocket"
