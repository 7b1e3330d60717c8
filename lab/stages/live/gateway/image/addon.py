"""The mitmproxy addon: an event line for everything that crosses, and word to the servers of whose it is.

Bodies are passed on as they come and never kept, so that memory stays flat. DNS is relayed, not rebuilt: mitmproxy's
own DNS layer packs messages anew, without compression. What it does on order comes from the supervisor.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from collections import Counter
from typing import Any

from mitmproxy import ctx, http, tcp, udp
from mitmproxy.proxy import layer, layers, server
from mitmproxy.proxy.mode_specs import ReverseMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tls import TlsData

from lab.stages.live.gateway.image import verbatim
from lab.stages.live.gateway.image.children import ORDER_LIMIT, ORDERS
from lab.stages.live.gateway.image.events import Dns, Relayed, Sink, connection, frame_size, now_us, us
from lab.stages.live.gateway.image.reading import counter, read_dns, read_http, request_head_size, response_head_size
from lab.stages.live.gateway.image.rules import RESOLVER

NOTICES = ("100.64.77.2", 9100)  # the servers, told whose each connection is
_TALLY, _DNS = "droidrange", "droidrange-dns"
_NOT_HTTP = (b"CONNECT ", b"PRI * HTTP/2.0")  # heads that mitmproxy would answer itself in transparent mode
# RFC 9110 section 9.1: methods, of which none is longer; mitmproxy takes any three letters for the beginning of one
_METHOD = re.compile(rb"[A-Z]{1,20}(\Z| )")


class Gateway:
    """Writes the events, tells the servers, obeys the supervisor."""

    def __init__(self) -> None:
        self.sink = Sink()
        self.resolver: tuple[str, int] | None = None
        self.busy: Counter[str] = Counter()  # HTTP requests in flight by client connection
        self.open: dict[str, Any] = {}  # flows that have not had their line
        self.orders: socket.socket | None = None
        self.notices = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.notices.setblocking(False)

    def running(self) -> None:
        """Begins to listen to the supervisor."""
        if ORDERS in os.environ:
            self.orders = socket.socket(fileno=int(os.environ[ORDERS]))
            self.orders.setblocking(False)
            asyncio.get_running_loop().add_reader(self.orders.fileno(), self._ordered, self.orders)

    def _ordered(self, orders: socket.socket) -> None:
        text, files, _flags, _from = socket.recv_fds(orders, ORDER_LIMIT, 1)
        if not text:  # nobody is there to answer to
            asyncio.get_running_loop().remove_reader(orders.fileno())
            ctx.master.shutdown()
            return
        try:
            answer = self.obey(json.loads(text), files)
        except Exception as fault:  # noqa: BLE001 - told to whoever gave the order
            answer = {"error": f"{type(fault).__name__}: {fault}"}
        orders.send(json.dumps(answer).encode())

    def obey(self, order: dict[str, Any], files: list[int]) -> dict[str, Any]:
        """Does what is ordered: ``ping``; ``plan`` (resolver, origin_ca); ``record`` with a file; ``stop``."""
        match order["do"]:
            case "plan":
                if order["origin_ca"]:
                    ctx.options.update(ssl_verify_upstream_trusted_ca=order["origin_ca"])
                if order["resolver"]:
                    self.resolver = (order["resolver"][0], order["resolver"][1])
            case "record":
                self.sink.open(files[0])
            case "stop":
                for flow in list(self.open.values()):
                    self._write(flow, unfinished=True)
                return {"lines": self.sink.close()}
        return {}

    # whose connection it is

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Where name look-ups go is the plan's."""
        if self.resolver and isinstance(data.client.proxy_mode, ReverseMode):
            data.server.address = self.resolver

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Tells the servers before they get a byte."""
        server, client = data.server, data.client
        assert server.sockname is not None
        assert server.peername is not None
        told = {"upstream": server.sockname[:2], "server": server.peername[:2], "client": client.peername[:2]}
        told["proto"] = server.transport_protocol
        try:
            self.notices.sendto(json.dumps(told).encode(), NOTICES)
        except OSError as fault:
            self._lost("notice", data.client, data.server, fault)

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """A server that could not be reached."""
        self._lost("connect_failed", data.client, data.server, data.server.error)

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """A server that hangs up between requests has hung up on the phone; mitmproxy would keep it waiting."""
        client = data.client
        if client.id not in self.busy or self.busy[client.id] or client.alpn == b"h2":
            return
        proxyserver: Any = ctx.master.addons.get("proxyserver")
        handler = proxyserver.connections.get(client.id)
        if handler is not None and client in handler.transports and client.connected:
            handler.close_connection(client)

    def client_disconnected(self, client: Any) -> None:
        """Forgets it."""
        self.busy.pop(client.id, None)

    def tls_failed_client(self, data: TlsData) -> None:
        """A phone that did not finish the handshake: an app that pins, or left."""
        self._lost("tls_failed", data.conn, data.context.server, data.conn.error)

    def tls_failed_server(self, data: TlsData) -> None:
        """A server whose handshake failed."""
        self._lost("tls_failed_upstream", data.context.client, data.context.server, data.conn.error)

    def _lost(self, event: str, client: Any, server: Any, reason: object) -> None:
        self.sink.write(event, time_us=now_us(), **connection(client, server), reason=str(reason))

    # what is not HTTP

    def next_layer(self, data: layer.NextLayer) -> None:
        """Proxy requests, plain HTTP/2 and what only begins with letters are relayed as they are."""
        deciding: Any = ctx.master.addons.get("nextlayer")  # comes after us, and leaves alone what is decided
        if deciding is not None:
            deciding.next_layer(data)
        decided, said = data.layer, data.data_client()
        plain = data.context.client.alpn not in {b"h2", b"http/1.1", b"http/1.0"}
        foreign = said.startswith(_NOT_HTTP) or (plain and said and not _METHOD.match(said))
        if isinstance(decided, layers.HttpLayer) and foreign:
            data.context.layers.remove(decided)
            data.layer = layers.TCPLayer(data.context)

    def tcp_start(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """A relayed connection, or the name look-ups of a socket."""
        flow.metadata[_TALLY] = Relayed(us(flow.client_conn.timestamp_start) or now_us())
        if isinstance(flow.client_conn.proxy_mode, ReverseMode):
            flow.metadata[_DNS] = Dns(tcp=isinstance(flow, tcp.TCPFlow))
        self.open[flow.id] = flow

    def tcp_message(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """Counts a piece and forgets it."""
        message = flow.messages.pop()
        flow.metadata[_TALLY].count(len(message.content), from_client=message.from_client)
        asked = flow.metadata.get(_DNS)
        if asked is not None:
            at = us(message.timestamp) or now_us()
            for part in asked.messages(message.content, from_client=message.from_client):
                self._looked_up(flow, asked, part, at, from_client=message.from_client)

    def tcp_end(self, flow: tcp.TCPFlow | udp.UDPFlow) -> None:
        """Its line."""
        self._write(flow)

    udp_start, udp_message, udp_end = tcp_start, tcp_message, tcp_end
    tcp_error = udp_error = tcp_end

    def _looked_up(self, flow: Any, asked: Dns, message: bytes, at_us: int, *, from_client: bool) -> None:
        key = int.from_bytes(message[:2], "big")
        if from_client:
            if key in asked.waiting:  # asked again, or of another name: what was asked before had no answer
                self._write_dns(flow, *asked.waiting.pop(key))
            asked.waiting[key] = (at_us, message)
            return
        began_us, question = asked.waiting.pop(key, (at_us, b""))
        self._write_dns(flow, began_us, question, message, at_us)

    def _write_dns(
        self, flow: Any, began_us: int, question: bytes, answer: bytes = b"", end_us: int | None = None
    ) -> None:
        asked: Dns = flow.metadata[_DNS]
        row: dict[str, Any] = {"time_us": began_us, "end_us": end_us}
        row |= connection(flow.client_conn, flow.server_conn) | {"server": [RESOLVER, 53]}
        row |= {"transport": "tcp" if asked.tcp else "udp", **read_dns(question or answer), "rcode": None}
        if answer:
            told = read_dns(answer)
            row |= {"rcode": answer[3] & 0xF if len(answer) > 3 else None, "answers": told["answers"]}
        row["bytes_up"] = asked.wire_size(question) if question else 0
        row["bytes_down"] = asked.wire_size(answer) if answer else 0
        self.sink.write("dns", **row)

    # HTTP

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request has begun."""
        tally = flow.metadata[_TALLY] = Relayed(us(flow.request.timestamp_start) or now_us())
        tally.up = request_head_size(flow.request)
        chunked = "chunked" in flow.request.headers.get("transfer-encoding", "").lower()
        flow.request.stream = counter(tally, chunked=chunked, from_client=True)
        self.busy[flow.client_conn.id] += 1
        self.open[flow.id] = flow

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Its answer has begun."""
        assert flow.response is not None
        tally = flow.metadata[_TALLY]
        tally.down = response_head_size(flow.response)
        chunked = "chunked" in flow.response.headers.get("transfer-encoding", "").lower()
        flow.response.stream = counter(tally, chunked=chunked, from_client=False)

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer has ended."""
        self.busy[flow.client_conn.id] -= 1
        self._write(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """It ended without."""
        if flow.id in self.open:
            self.busy[flow.client_conn.id] -= 1
            self._write(flow)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Its line; the message is forgotten."""
        assert flow.websocket is not None
        assert flow.response is not None
        message = flow.websocket.messages.pop()
        deflated = "permessage-deflate" in flow.response.headers.get("sec-websocket-extensions", "")
        size = len(message.content)
        row = {"time_us": us(message.timestamp), **connection(flow.client_conn, flow.server_conn)}
        row |= {"from_client": message.from_client, "type": message.type.name.lower(), "bytes": size}
        row["frame_bytes"] = None if deflated else frame_size(size, masked=message.from_client)
        self.sink.write("websocket", **row)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """How it was closed."""
        assert flow.websocket is not None
        row = {"close_code": flow.websocket.close_code, "closed_by_client": flow.websocket.closed_by_client}
        self.sink.write("websocket_end", time_us=now_us(), **connection(flow.client_conn, flow.server_conn), **row)

    def _write(self, flow: Any, *, unfinished: bool = False) -> None:
        """The one line of a flow; ``unfinished`` if the recording ends before it does."""
        self.open.pop(flow.id, None)
        tally: Relayed = flow.metadata[_TALLY]
        row: dict[str, Any] = {"time_us": tally.began_us, **connection(flow.client_conn, flow.server_conn)}
        error = None if flow.error is None else flow.error.msg
        row |= {"bytes_up": tally.up, "bytes_down": tally.down, "error": error, "unfinished": unfinished}
        if isinstance(flow, http.HTTPFlow):
            self.sink.write("http", **row, **read_http(flow, unfinished=unfinished))
            return
        for began_us, question in flow.metadata[_DNS].waiting.values() if _DNS in flow.metadata else ():
            self._write_dns(flow, began_us, question)
        if _DNS not in flow.metadata:
            self.sink.write("tcp", **row, end_us=None if unfinished else now_us())


verbatim.install()
# mitmproxy ends a UDP conversation after 20 s, but mitmproxy_rs hands it whatever comes from the same port for 60 s: a
# phone that used a port again in between was never answered (measured). So nobody ends it before mitmproxy_rs does.
server.UDP_TIMEOUT = 120
addons = [Gateway()]
