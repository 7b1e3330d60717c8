"""The columns of every telemetry table: names, types, and what a null means.

``up`` runs from client to server, ``down`` back; bytes are L4 payload; times are int64 microseconds since the epoch,
UTC.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

_text = pa.string()
_time = pa.int64()

#: Column types of every telemetry table, in order. A table that a sensor lacks is absent, never empty.
SCHEMAS: Mapping[str, pa.Schema] = {
    # One row per flow and monitored device at one of its ends: a flow between two monitored devices has two.
    "flows": pa.schema(
        [
            ("flow", pa.int64()),  # joins exchanges and dns; the same in both rows of a two-device flow
            ("device", _text),  # inventory name, or the IP address where nothing better is known
            ("inbound", pa.bool_()),  # True: this device is the server of the flow
            ("uid", pa.int32()),  # null: unknown
            ("package", _text),  # null: unknown
            ("start", _time),
            ("end", _time),
            ("client", _text),
            ("client_port", pa.int32()),
            ("server", _text),
            ("server_port", pa.int32()),
            ("proto", _text),  # tcp, udp, icmp, or the IP protocol number as text
            ("established", pa.bool_()),  # both sides spoke (TCP: SYN answered with SYN-ACK, or data both ways)
            ("packets_up", pa.int64()),
            ("packets_down", pa.int64()),
            ("bytes_up", pa.int64()),
            ("bytes_down", pa.int64()),
            ("app_proto", _text),  # tls http websocket dns socks4 socks5 connect smtp imap ssh quic ...; null: unknown
            ("name", _text),  # best name of the server: SNI, Host, or the name whose answer held the address
            ("name_from", _text),  # sni, host, dns; null: the server is known by address only
            ("sni", _text),
            ("alpn", _text),
            ("ja4", _text),
            ("host", _text),
            ("method", _text),
            ("user_agent", _text),
            ("proxy", _text),  # socks4, socks4a, socks5, connect: a proxy request was read in this flow
            ("proxy_server", _text),  # client or server: which END of the flow was asked to relay
            ("proxy_target", _text),  # host:port asked for, where readable
            ("proxy_granted", pa.bool_()),  # the answer granted it; null: no answer seen
        ]
    ),
    # Request and response inside a flow. A new exchange begins when the client speaks after the server, or when
    # the same side speaks again after more than EXCHANGE_IDLE_US; a late answer still belongs to its request. What
    # TLS says itself (handshake, tickets, closing alert) is in no exchange, so flows may carry more than theirs.
    "exchanges": pa.schema(
        [
            ("flow", pa.int64()),
            ("start", _time),
            ("end", _time),
            ("bytes_up", pa.int64()),
            ("bytes_down", pa.int64()),
            ("packets_up", pa.int32()),
            ("packets_down", pa.int32()),
            ("first_down", _time),  # first payload from the server; null: none
        ]
    ),
    "dns": pa.schema(
        [
            ("flow", pa.int64()),
            ("time", _time),
            ("answered", _time),  # null: no answer seen
            ("client", _text),
            ("server", _text),
            ("qname", _text),  # lower case, no trailing dot
            ("qtype", _text),  # A AAAA TXT NULL CNAME MX HTTPS ... or TYPE<number>
            ("rcode", pa.int32()),  # null: no answer seen
            ("answers", pa.list_(_text)),  # addresses and names of the answer section
            ("bytes_up", pa.int64()),
            ("bytes_down", pa.int64()),
        ]
    ),
    "sockets": pa.schema(
        [
            ("time", _time),
            ("device", _text),
            ("uid", pa.int32()),
            ("event", _text),  # listen accept connect raw close
            ("proto", _text),
            ("local_address", _text),
            ("local_port", pa.int32()),
            ("peer_address", _text),  # null for listen and raw
            ("peer_port", pa.int32()),
            ("bytes_up", pa.int64()),  # on the close of a connection: what the socket carried; null: not counted
            ("bytes_down", pa.int64()),
        ]
    ),
    "device_state": pa.schema(
        [
            ("time", _time),  # the state holds from here to the device's next row
            ("device", _text),
            ("screen_on", pa.bool_()),
            ("locked", pa.bool_()),
            ("foreground_uid", pa.int32()),  # null: launcher or nothing
            ("last_interaction", _time),
            ("power_state", _text),  # interactive, idle, doze-light, doze-deep, maintenance
        ]
    ),
    "packages": pa.schema(
        [
            ("device", _text),
            ("uid", pa.int32()),
            ("package", _text),
            ("label", _text),
            ("category", _text),
            ("sanctioned", pa.bool_()),
            ("roles", pa.list_(_text)),  # vpn browser remote_access tethering casting relay mail messenger ...
        ]
    ),
    "http": pa.schema(
        [
            ("time", _time),
            ("end", _time),
            ("device", _text),
            ("client", _text),
            ("client_port", pa.int32()),
            ("server", _text),
            ("server_port", pa.int32()),
            ("sni", _text),
            ("host", _text),
            ("method", _text),
            ("path", _text),
            ("status", pa.int32()),
            ("bytes_up", pa.int64()),  # request line, headers and body
            ("bytes_down", pa.int64()),
            ("user_agent", _text),
        ]
    ),
}
