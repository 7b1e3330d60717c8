"""identify on real captures: the same names that tshark reads, and every relay request on its right side."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.capture.names import MAX_BYTES, Names, identify, parse_dns

CAPTURES = Path(__file__).parents[5] / "shared" / "data" / "captures"
COLUMNS = [
    "tcp.stream",
    "udp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "udp.srcport",
    "tcp.dstport",
    "udp.dstport",
    "tcp.flags.syn",
    "tcp.flags.ack",
    "tcp.seq",
    "tcp.payload",
    "udp.payload",
]
REASON = "needs tshark and the captures of ../shared"

real = pytest.mark.skipif(not CAPTURES.is_dir() or shutil.which("tshark") is None, reason=REASON)


RELAYS = {
    "arkime-https-connect": ("connect", "server", "ts01-b.cloudsink.net:443"),
    "arkime-socks4-9901": ("socks4a", "server", "login.live.com:443"),
    "arkime-socks5-rdp": ("socks5", "server", "10.0.0.1:3389"),
    "arkime-socks5-reverse": ("socks5", "client", "74.125.131.103:80"),
    "arkime-socks5-smtp": ("socks5", "server", "010.000.00.003:25"),
    "ndpi-http-connect": ("connect", "server", "apache.org:443"),
    "zeek-connect-smtp": ("connect", "server", "mailin03.sul.t-online.de:25"),
    "zeek-socks-auth": ("socks5", "server", "192.168.0.2:22"),
    "zeek-socks-ssl": ("socks5", "server", "www.google.com:443"),
    "pcapdroid-http-proxy": ("connect", "server", "15.35.226.136:443"),
}
NO_RELAYS = ("slips-test-cc-1", "ndpi-alexa-app", "ndpi-whatsapp-24h", "ndpi-viber", "ndpi-threema", "ndpi-nest")


def tshark(capture: Path, *fields: str, only: str = "") -> Iterator[list[str]]:
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    command += [part for field in fields for part in ("-e", field)] + (["-Y", only] if only else [])
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        yield line.split("|")


def heard(name: str) -> dict[tuple[str, str], tuple[str, int, int, bytes, bytes]]:
    """The first bytes of both directions of each flow, put together from tshark's payloads."""
    flows: dict[tuple[str, str], dict[str, object]] = {}
    for row in tshark(capture_of(name), *COLUMNS):
        stream_t, stream_u, v4, v6, *ports, syn, ack, seq, payload_t, payload_u = row
        key = ("tcp", stream_t) if stream_t else ("udp", stream_u)
        if not key[1]:
            continue
        source, sent, received = v4 or v6, int(ports[0] or ports[1]), int(ports[2] or ports[3])
        answers = (syn, ack) == ("1", "1")
        first = ("", received, sent) if answers else (source, sent, received)
        flow = flows.setdefault(key, {"client": first, True: {}, False: {}})
        up = (source, sent) == flow["client"][:2] or (flow["client"][0] == "" and sent == flow["client"][1])
        pieces = flow[up]
        payload = bytes.fromhex(payload_t or payload_u)
        if payload:
            pieces.setdefault(int(seq) if seq else len(pieces), payload)
    return {
        key: (key[0], flow["client"][1], flow["client"][2], joined(key[0], flow[True]), joined(key[0], flow[False]))
        for key, flow in flows.items()
    }


def joined(proto: str, pieces: dict[int, bytes]) -> bytes:
    whole, start = b"", min(pieces, default=0)
    for at in sorted(pieces):
        behind = start + len(whole) - at if proto == "tcp" else 0
        if behind < 0:
            break
        whole += pieces[at][behind:]
    return whole[:MAX_BYTES]


def capture_of(name: str) -> Path:
    return next(path for path in (CAPTURES / name).iterdir() if path.suffix in (".pcap", ".pcapng"))


@real
@pytest.mark.captures
@pytest.mark.parametrize("name", RELAYS)
def test_relay_requests_of_real_captures(name: str) -> None:
    found = [names for names in (identify(*flow) for flow in heard(name).values()) if names.proxy]
    assert {(names.proxy, names.proxy_server, names.proxy_target) for names in found} == {RELAYS[name]}
    assert all(names.proxy_granted for names in found)


@real
@pytest.mark.captures
@pytest.mark.parametrize("name", NO_RELAYS)
def test_no_relay_request_where_there_is_none(name: str) -> None:
    flows = heard(name)
    assert flows
    assert [names for names in (identify(*flow) for flow in flows.values()) if names.proxy] == []


@real
@pytest.mark.captures
@pytest.mark.parametrize(
    "name", ["slips-test-cc-1", "ndpi-alexa-app", "ndpi-opera-vpn", "ndpi-wechat-66min", "ndpi-smtp-starttls"]
)
def test_server_names_are_those_of_tshark(name: str) -> None:
    fields = ("tcp.stream", "tls.handshake.extensions_server_name")
    theirs = {}
    for stream, sni in tshark(capture_of(name), *fields, only="tcp and tls.handshake.type==1"):
        theirs.setdefault(stream, sni or None)
    flows = heard(name)
    ours = {stream: identify(*flows["tcp", stream]).sni for stream in theirs}
    assert theirs
    assert ours == theirs


@real
@pytest.mark.captures
@pytest.mark.parametrize(
    "name", ["ndpi-alexa-app", "ndpi-android", "ndpi-kakaotalk-chat", "sv-websocket-basic", "ndpi-http-connect"]
)
def test_http_heads_are_those_of_tshark(name: str) -> None:
    fields = ("tcp.stream", "http.request.method", "http.host", "http.user_agent")
    theirs: dict[str, tuple[str | None, ...]] = {}
    for stream, *values in tshark(capture_of(name), *fields, only="tcp and http.request"):
        theirs.setdefault(stream, tuple(value or None for value in values))
    flows = heard(name)
    ours = {stream: identify(*flows["tcp", stream]) for stream in theirs}
    assert theirs
    assert {stream: (names.method, names.host, names.user_agent) for stream, names in ours.items()} == theirs


@real
@pytest.mark.captures
@pytest.mark.parametrize("name", ["ndpi-alexa-app", "ndpi-kakaotalk-chat", "korving-dnscat2-bind9"])
def test_questions_and_addresses_are_those_of_tshark(name: str) -> None:
    fields = ("udp.payload", "dns.qry.name", "dns.a")
    compared = 0
    for payload, qname, address in tshark(capture_of(name), *fields, only="udp.port==53 and dns"):
        message = parse_dns(bytes.fromhex(payload))
        assert message is not None
        assert message.qname == ("" if qname == "<Root>" else qname.lower())
        assert not address or address in message.answers
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("proto", ["icmp", "tcp", "udp", "47"])
def test_nothing_is_read_of_no_bytes(proto: str) -> None:
    assert identify(proto, 1, 2, b"", b"") == Names()


def test_protocols_of_datagrams() -> None:
    stun = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
    assert identify("udp", 1, 3478, stun, b"").app_proto == "stun"
    assert identify("udp", 1, 123, b"\x23" + bytes(47), b"").app_proto == "ntp"
    assert identify("udp", 1, 51820, b"\1\0\0\0" + bytes(144), b"").app_proto == "wireguard"
    assert identify("udp", 1, 1900, b"M-SEARCH * HTTP/1.1\r\n", b"").app_proto == "ssdp"
    assert identify("udp", 40_000, 1900, b"", b"HTTP/1.1 200 OK\r\n").app_proto == "ssdp"
    assert identify("udp", 40_000, 1901, b"", b"HTTP/1.1 200 OK\r\n").app_proto is None
    assert identify("udp", 1, 9, b"hello", b"").app_proto is None


@given(
    st.sampled_from(["tcp", "udp"]), st.sampled_from([53, 123, 443]), st.binary(max_size=200), st.binary(max_size=200)
)
def test_arbitrary_bytes_never_raise(proto: str, port: int, up: bytes, down: bytes) -> None:
    heads = (b"", b"\x16\x03\x01\x00\x80\x01", b"\x05\x01\x00", b"CONNECT ", b"GET / HTTP/1.1\r\n", b"220 ")
    for head in heads:
        found = identify(proto, 50_000, port, head + up, down)
        assert (found.proxy is None) == (found.proxy_server is None)
        assert identify(proto, 50_000, port, up, head + down) is not None
