"""Names in a flow's first bytes: protocol, server name, fingerprint, HTTP head, relay request.

Everything here is pure: the first payload bytes of both directions in, one value out. Nothing raises, whatever the
bytes; work per flow is bounded. A flow that carries a relay request says nothing of what is relayed inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from detector.capture.names import http, socks
from detector.capture.names.alike import Alike
from detector.capture.names.dns import DnsMessage, dns_kind, dns_layout, looks_like_dns, parse_dns, split_tcp
from detector.capture.names.mail import banner
from detector.capture.names.quic import initial_hello, is_quic
from detector.capture.names.tls import ClientHello, client_hello, hello_kind, hello_layout, is_tls, is_whole_hello

__all__ = [
    "MAX_BYTES",
    "DnsMessage",
    "Names",
    "identify",
    "is_whole_hello",
    "parse_dns",
    "read_hello",
    "repeated_dns",
    "split_tcp",
]

#: Payload bytes of each direction that identify reads; the caller need not pass more.
MAX_BYTES = 4096

_STUN_COOKIE = b"\x21\x12\xa4\x42"  # RFC 8489 section 5
#: As parse_dns, but the identifier may be that of a message that was alike.
repeated_dns = Alike(parse_dns, dns_kind, dns_layout)

_DNS_PORTS = {53: "dns", 5353: "mdns", 5355: "llmnr"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the first bytes of a flow tell; None: not seen. Field names are columns of the flows table.

    ``host`` of a CONNECT request names the target, not the server of this flow.
    """

    app_proto: str | None = None
    sni: str | None = None
    alpn: str | None = None
    ja4: str | None = None
    host: str | None = None
    method: str | None = None
    user_agent: str | None = None
    proxy: str | None = None
    proxy_server: str | None = None
    proxy_target: str | None = None
    proxy_granted: bool | None = None


_NOTHING = Names()
_PLAIN = {
    name: Names(name)
    for name in ("tls", "dns", "mdns", "llmnr", "quic", "stun", "ntp", "dtls", "wireguard", "ssdp", "websocket", "http")
}


def identify(proto: str, client_port: int, server_port: int, up: bytes, down: bytes) -> Names:
    """The names in a flow's first bytes; all None where nothing is recognised.

    ``proto`` is tcp, udp or anything else (then nothing is read); ``up`` and ``down`` are the first payload bytes
    from client and server, in sequence order and without repeats, datagrams laid end to end.
    """
    if not up and not down:
        return _NOTHING
    if proto == "tcp":
        return _tcp(server_port, up, down)
    return _udp(client_port, server_port, up, down) if proto == "udp" else _NOTHING


@lru_cache(maxsize=8192)
def _secured(spoken: str, hello: ClientHello | None) -> Names:
    return Names(spoken) if hello is None else Names(spoken, hello.sni, hello.alpn, hello.ja4)


def _names_of_hello(stream: bytes) -> Names | None:
    hello = client_hello(stream)
    return None if hello is None else _secured("tls", hello)


#: The names in a stream that starts with a ClientHello; None if it does not.
read_hello = Alike(_names_of_hello, hello_kind, hello_layout)


def _tcp(server_port: int, up: bytes, down: bytes) -> Names:
    if up[:1] == b"\x16":
        found = read_hello(up)
        if found is not None:
            return found
    return _relay(up, down) or _web(up, down) or _plain(server_port, up, down) or _greeted(up, down)


def _plain(server_port: int, up: bytes, down: bytes) -> Names | None:
    """A protocol that tells no more than its name, also where the capture began in mid-stream."""
    if is_tls(up) or (not up and is_tls(down)):
        return _PLAIN["tls"]
    if http.status(down) is not None:
        return _PLAIN["websocket" if http.switched(down) else "http"]
    return _PLAIN["dns"] if server_port == 53 and looks_like_dns((up or down)[2:]) else None


def _relay(up: bytes, down: bytes) -> Names | None:
    """A relay request of the client to the server, or of the server to the client that dialled it."""
    for asking, answering, hello, end in ((up, down, 0, "server"), (down, up, socks.MAX_HELLO, "client")):
        first = asking[:1]
        if first == b"C":
            tunnel = http.connect(asking, answering, hello)
            if tunnel is not None:
                asked = http.request(asking)
                host, agent = (asked.host, asked.user_agent) if asked else (None, None)
                return Names("connect", None, None, None, host, "CONNECT", agent, "connect", end, *tunnel)
        elif first in (b"\x04", b"\x05"):
            found = socks.relaying(asking, answering, hello)
            if found is not None:
                spoken = found.version.removesuffix("a")
                ask = (found.version, end, found.target, found.granted)
                return Names(spoken, None, None, None, None, None, None, *ask)
    return None


def _web(up: bytes, down: bytes) -> Names | None:
    asked = http.request(up)
    if asked is None:
        return None
    upgraded = asked.websocket and http.status(down) in (None, 101)
    return Names("websocket" if upgraded else "http", None, None, None, asked.host, asked.method, asked.user_agent)


def _greeted(up: bytes, down: bytes) -> Names:
    """A protocol with a banner; mail may turn to TLS in the same flow (STARTTLS, RFC 3207 and RFC 2595)."""
    spoken = banner(up, down)
    if spoken is None:
        return _NOTHING
    at = up.find(b"\x16\x03") if spoken in ("smtp", "imap", "pop3") else -1
    hello = client_hello(up[at:]) if at >= 0 else None
    return _secured(spoken, hello)


def _udp(client_port: int, server_port: int, up: bytes, down: bytes) -> Names:
    if is_quic(up) or (not up and is_quic(down)):
        return _secured("quic", initial_hello(up))
    expected = _DNS_PORTS.get(server_port) or _DNS_PORTS.get(client_port)
    if expected is not None:
        first = up or down
        return _PLAIN[expected] if looks_like_dns(first) or parse_dns(first) else _NOTHING
    spoken = _datagram(server_port, up or down)
    if spoken is None and looks_like_dns(up) and looks_like_dns(down) and _same_question(up, down):
        spoken = "dns"
    return _PLAIN[spoken] if spoken else _NOTHING


def _datagram(server_port: int, first: bytes) -> str | None:
    if first[4:8] == _STUN_COOKIE and first[0] < 4:
        return "stun"
    if server_port == 123 and len(first) >= 48 and 1 <= first[0] & 7 <= 5:  # RFC 5905 section 7.3, mode
        return "ntp"
    if first[:1] == b"\x16" and first[1:3] in (b"\xfe\xff", b"\xfe\xfd"):
        return "dtls"
    if first[:4] == b"\x01\0\0\0" and len(first) >= 148:  # WireGuard, handshake initiation
        return "wireguard"
    answers = server_port == 1900 and first[:13] == b"HTTP/1.1 200 "  # UPnP Device Architecture 1.1, section 1.3.3
    return "ssdp" if answers or first[:9] in (b"M-SEARCH ", b"NOTIFY * ") else None


def _same_question(up: bytes, down: bytes) -> bool:
    asked, answered = parse_dns(up), parse_dns(down)
    if asked is None or answered is None or asked.response or not answered.response:
        return False
    return (asked.ident, asked.qname, asked.qtype) == (answered.ident, answered.qname, answered.qtype)
